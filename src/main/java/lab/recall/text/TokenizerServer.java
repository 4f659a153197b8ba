package lab.recall.text;

import java.io.BufferedInputStream;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * The main class of the process that {@link TokenizerProcess} starts: answers its questions, each a frame on standard input, on standard
 * output, and ends when there is nobody left who asks.
 *
 * <p>A frame is the length of what follows, and that. A question starts with its kind, an answer with whether it is one or says why there
 * is none.
 */
final class TokenizerServer {
    static final int OPEN = 0;
    static final int ENCODE = 1;
    static final int DECODE = 2;

    private TokenizerServer() {
    }

    /** Answers until the input ends. */
    public static void main(String[] args) throws IOException, InterruptedException {
        DataOutputStream out = new DataOutputStream(new FileOutputStream(FileDescriptor.out));
        System.setOut(System.err);                          // what a library prints is no answer
        BlockingQueue<byte[]> questions = new LinkedBlockingQueue<>();
        Thread reader = new Thread(() -> read(questions), "questions");
        reader.setDaemon(true);
        reader.start();
        TokenizerLibrary library = null;
        while (true) {
            DataInputStream question = new DataInputStream(new ByteArrayInputStream(questions.take()));
            byte[] answer;
            try {
                int kind = question.readByte();
                if (kind == OPEN) {
                    library = new TokenizerHere(question.readAllBytes());
                    answer = new byte[] {1};
                } else {
                    answer = kind == ENCODE ? encode(library, question) : decode(library, question);
                }
            } catch (IllegalStateException e) {
                answer = ("\0" + e.getMessage()).getBytes(StandardCharsets.UTF_8);
            }
            out.writeInt(answer.length);
            out.write(answer);
            out.flush();
        }
    }

    /** Beside the work, so that work which does not end is ended when the other process is. */
    private static void read(BlockingQueue<byte[]> questions) {
        try (DataInputStream in = new DataInputStream(new BufferedInputStream(new FileInputStream(FileDescriptor.in)))) {
            while (true) {
                byte[] question = new byte[in.readInt()];
                in.readFully(question);
                questions.add(question);
            }
        } catch (IOException e) {
            Runtime.getRuntime().halt(0);
        }
    }

    private static byte[] encode(TokenizerLibrary library, DataInputStream question) throws IOException {
        boolean specialTokens = question.readBoolean();
        TokenizerLibrary.Tokens tokens = library.encode(new String(question.readAllBytes(), StandardCharsets.UTF_8), specialTokens);
        ByteArrayOutputStream answer = new ByteArrayOutputStream();
        DataOutputStream to = new DataOutputStream(answer);
        to.writeByte(1);
        to.writeInt(tokens.ids().length);
        for (int i = 0; i < tokens.ids().length; i++) {
            to.writeInt(tokens.ids()[i]);
            to.writeInt(tokens.starts()[i]);
            to.writeInt(tokens.ends()[i]);
        }
        return answer.toByteArray();
    }

    private static byte[] decode(TokenizerLibrary library, DataInputStream question) throws IOException {
        int[] ids = new int[question.readInt()];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = question.readInt();
        }
        return ("\1" + library.decode(ids)).getBytes(StandardCharsets.UTF_8);
    }
}
