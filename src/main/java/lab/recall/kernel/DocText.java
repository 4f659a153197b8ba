package lab.recall.kernel;

import com.sun.source.doctree.DocCommentTree;
import com.sun.source.doctree.DocTree;
import com.sun.source.doctree.EndElementTree;
import com.sun.source.doctree.EntityTree;
import com.sun.source.doctree.LinkTree;
import com.sun.source.doctree.LiteralTree;
import com.sun.source.doctree.ParamTree;
import com.sun.source.doctree.ReturnTree;
import com.sun.source.doctree.SeeTree;
import com.sun.source.doctree.StartElementTree;
import com.sun.source.doctree.TextTree;
import com.sun.source.doctree.ThrowsTree;
import com.sun.source.util.SimpleDocTreeVisitor;
import java.util.List;
import lab.recall.view.Tables;

/** A Javadoc comment for a page, and for a terminal. */
final class DocText {
    private DocText() {
    }

    static String html(DocCommentTree comment) {
        StringBuilder b = new StringBuilder("<p>");
        Writer writer = new Writer(b);
        comment.getFullBody().forEach(t -> t.accept(writer, null));
        b.append("</p>");
        String tags = tags(comment, writer, b);
        return b + (tags.isEmpty() ? "" : "<ul>" + tags + "</ul>");
    }

    /** The same without marks. */
    static String plain(DocCommentTree comment) {
        return html(comment).replaceAll("<li>", "\n- ").replaceAll("<p>|</?pre>|<br>", "\n").replaceAll("<[^>]+>", "")
                .replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&nbsp;", " ").replace("&amp;", "&")
                .replaceAll("[ \t]+\n", "\n").replaceAll("\n{3,}", "\n\n").strip();
    }

    private static String tags(DocCommentTree comment, Writer writer, StringBuilder body) {
        int before = body.length();
        comment.getBlockTags().forEach(t -> t.accept(writer, null));
        String tags = body.substring(before);
        body.setLength(before);
        return tags;
    }

    private static final class Writer extends SimpleDocTreeVisitor<Void, Void> {
        private final StringBuilder b;

        Writer(StringBuilder b) {
            this.b = b;
        }

        private void all(List<? extends DocTree> trees) {
            trees.forEach(t -> t.accept(this, null));
        }

        private Void item(String name, List<? extends DocTree> description) {
            b.append("<li>").append(name).append(description.isEmpty() ? "" : ": ");
            all(description);
            b.append("</li>");
            return null;
        }

        private static String code(Object o) {
            return "<code>" + Tables.escape(String.valueOf(o)) + "</code>";
        }

        /** Line ends and indents stay, which {@link Tables#escape} would show; not the blank after a comment's star. */
        private static String escaped(String s) {
            return s.replace("\n ", "\n").replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
        }

        @Override
        protected Void defaultAction(DocTree tree, Void v) {
            b.append(escaped(tree.toString()));
            return null;
        }

        @Override
        public Void visitText(TextTree t, Void v) {
            b.append(escaped(t.getBody()));
            return null;
        }

        @Override
        public Void visitEntity(EntityTree t, Void v) {
            b.append(t);
            return null;
        }

        @Override
        public Void visitLiteral(LiteralTree t, Void v) {
            String body = escaped(t.getBody().getBody());
            b.append(t.getKind() == DocTree.Kind.CODE ? "<code>" + body + "</code>" : body);
            return null;
        }

        @Override
        public Void visitLink(LinkTree t, Void v) {
            if (t.getLabel().isEmpty()) {
                b.append(code(t.getReference().getSignature().replaceFirst("^#", "").replace('#', '.')));
            } else {
                all(t.getLabel());
            }
            return null;
        }

        @Override
        public Void visitStartElement(StartElementTree t, Void v) {
            b.append('<').append(t.getName()).append('>');      // no attribute of a comment reaches the page
            return null;
        }

        @Override
        public Void visitEndElement(EndElementTree t, Void v) {
            b.append("</").append(t.getName()).append('>');
            return null;
        }

        @Override
        public Void visitParam(ParamTree t, Void v) {
            return item(code(t.isTypeParameter() ? "<" + t.getName() + ">" : t.getName()), t.getDescription());
        }

        @Override
        public Void visitReturn(ReturnTree t, Void v) {
            if (t.toString().startsWith("{")) {
                b.append("Returns ");
                all(t.getDescription());
                b.append('.');
                return null;
            }
            return item("gives", t.getDescription());
        }

        @Override
        public Void visitThrows(ThrowsTree t, Void v) {
            return item("throws " + code(t.getExceptionName()), t.getDescription());
        }

        @Override
        public Void visitSee(SeeTree t, Void v) {
            return item("see", t.getReference());
        }
    }
}
