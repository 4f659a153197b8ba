package lab.recall.kernel;

import io.github.spencerpark.jupyter.channels.JupyterSocket;
import io.github.spencerpark.jupyter.channels.ShellChannel;
import io.github.spencerpark.jupyter.channels.ShellReplyEnvironment;
import io.github.spencerpark.jupyter.channels.StdinChannel;
import io.github.spencerpark.jupyter.kernel.display.DisplayData;
import io.github.spencerpark.jupyter.messages.Message;
import io.github.spencerpark.jupyter.messages.MessageContext;
import io.github.spencerpark.jupyter.messages.MessageType;
import io.github.spencerpark.jupyter.messages.publish.PublishDisplayData;
import io.github.spencerpark.jupyter.messages.publish.PublishError;
import io.github.spencerpark.jupyter.messages.publish.PublishExecuteResult;
import io.github.spencerpark.jupyter.messages.publish.PublishStatus;
import io.github.spencerpark.jupyter.messages.publish.PublishStream;
import io.github.spencerpark.jupyter.messages.publish.PublishUpdateDisplayData;
import io.github.spencerpark.jupyter.messages.reply.ErrorReply;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;

/** How one request is answered: what was printed goes before whatever comes after it, and an error under its own name. */
final class CellEnvironment extends ShellReplyEnvironment {
    private final CellOutput output = new CellOutput(new Below());
    private ErrorText error;
    private int count;

    CellEnvironment(ShellChannel channel, StdinChannel stdin, JupyterSocket iopub, MessageContext request) {
        super(channel, stdin, iopub, request);
    }

    CellOutput output() {
        return output;
    }

    /** The cell with this number has failed. */
    void failed(int cellCount, ErrorText why) {
        count = cellCount;
        error = why;
    }

    boolean hasFailed() {
        return error != null;
    }

    /** Tells that this request was in the queue when another failed. */
    @SuppressWarnings({"rawtypes", "unchecked"})
    void abort() {
        setBusyDeferIdle();
        reply(new Message(getContext(), MessageType.EXECUTE_REPLY, Map.of("status", "aborted")));
    }

    @Override
    public void publish(Message<?> message) {
        Object content = message.getContent();
        if (content instanceof PublishExecuteResult || content instanceof PublishError) {
            output.finish();
        } else {
            output.flush();
        }
        if (content instanceof PublishStatus) {
            super.publish(message);                         // idle may have been asked to wait; nothing else
        } else if (content instanceof PublishError && error != null) {
            send(MessageType.PUBLISH_ERROR, new PublishError(error.name(), error.message(), error.lines()));
        } else {
            getIopub().sendMessage(message);
        }
    }

    /** Not by publish, whose next message another thread may have asked to wait. */
    private <T> void send(MessageType<T> type, T content) {
        getIopub().sendMessage(new Message<>(getContext(), type, content));
    }

    @Override
    public void replyError(MessageType<?> type, ErrorReply reply) {
        if (error == null) {
            super.replyError(type, reply);
        } else {
            ErrorReply named = new ErrorReply(error.name(), error.message(), error.lines());
            named.setExecutionCount(count);
            super.replyError(type, named);
        }
    }

    @Override
    public String readFromStdIn(String prompt, boolean isPassword) {
        output.flush();
        return super.readFromStdIn(prompt, isPassword);
    }

    private final class Below implements CellOutput.Sink {
        private String id;

        @Override
        public void text(boolean isError, String text) {
            PublishStream.StreamType side = isError ? PublishStream.StreamType.ERR : PublishStream.StreamType.OUT;
            send(MessageType.PUBLISH_STREAM, new PublishStream(side, text));
        }

        @Override
        public void leftOut(long lines, long bytes) {
            DisplayData said = new DisplayData(String.format(Locale.ROOT,
                    "… %,d lines (%,d kB) are left out here: a page cannot hold all; print less, or write to a file …",
                    lines, (bytes + 512) / 1024));
            boolean isFirst = id == null;
            id = isFirst ? UUID.randomUUID().toString() : id;
            said.setDisplayId(id);
            if (isFirst) {
                send(MessageType.PUBLISH_DISPLAY_DATA, new PublishDisplayData(said));
            } else {
                send(MessageType.PUBLISH_UPDATE_DISPLAY_DATA, new PublishUpdateDisplayData(said));
            }
        }
    }
}
