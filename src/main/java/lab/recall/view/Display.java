package lab.recall.view;

import java.util.Arrays;
import java.util.Base64;
import java.util.Locale;
import lab.recall.base.Said;
import org.knowm.xchart.internal.chartpart.Chart;
import org.nd4j.linalg.api.ndarray.INDArray;
import tech.tablesaw.api.Table;

/** What each kind of object looks like in a notebook: the one place that decides, for both kernels. */
final class Display {
    static final String HTML = "text/html";
    static final String PNG = "image/png";
    static final String TEXT = "text/plain";
    /** What the kernels are told about; an interface or base class stands for all below it. */
    static final Class<?>[] TYPES = {Showable.class, Table.class, Chart.class, HeatMap.class, INDArray.class, float[].class, double[].class,
        int[].class};

    /** A picture or text with its type; PNG is in base 64, with its width on the page, or 0 for its own. */
    record Shown(String mime, String data, int width) {
        Shown(String mime, String data) {
            this(mime, data, 0);
        }
    }

    private Display() {
    }

    static Shown of(Object o) {
        if (o instanceof Showable s) {
            return of(s.view());
        }
        if (o instanceof Table t) {
            return new Shown(HTML, Tables.html(t));
        }
        if (o instanceof HeatMap m) {
            return new Shown(PNG, Base64.getMimeEncoder().encodeToString(m.png()), m.width());
        }
        if (o instanceof Chart<?, ?> c) {
            return new Shown(PNG, Base64.getMimeEncoder().encodeToString(Charts.png(c)));
        }
        if (o instanceof INDArray a) {
            return a.rank() == 2 && a.size(0) > 1 && a.length() <= 1 << 20
                    ? of(HeatMap.signed(shape(a), a.toDoubleMatrix()).rowAxis("row").columns("column"))
                    : new Shown(TEXT, shape(a) + "\n" + a);
        }
        if (o instanceof float[] f) {
            double[] d = new double[f.length];
            Arrays.setAll(d, i -> f[i]);
            return new Shown(TEXT, numbers(d, "float"));
        }
        if (o instanceof double[] d) {
            return new Shown(TEXT, numbers(d, "double"));
        }
        if (o instanceof int[] i) {
            return new Shown(TEXT, i.length <= 40 ? Arrays.toString(i) : "int[" + i.length + "] " + Arrays.toString(Arrays.copyOf(i, 40)));
        }
        return new Shown(TEXT, String.valueOf(o));
    }

    /** The same as text, for a terminal. */
    static String text(Object o) {
        return o instanceof Showable s ? text(s.view())
                : o instanceof Table t ? Tables.text(t)
                : o instanceof HeatMap m ? "[picture: " + m.title() + "]"
                : o instanceof Chart<?, ?> c ? "[picture: " + Said.visible(c.getTitle()) + "]"
                : o instanceof INDArray a ? shape(a) : of(o).data();
    }

    private static String shape(INDArray a) {
        return "array " + Arrays.toString(a.shape());
    }

    private static String numbers(double[] all, String type) {
        StringBuilder b = new StringBuilder(type + "[" + all.length + "]");
        for (int i = 0; i < Math.min(12, all.length); i++) {
            b.append(String.format(Locale.ROOT, " %.4g", all[i]));
        }
        return b.append(all.length > 12 ? " …" : "").toString();
    }
}
