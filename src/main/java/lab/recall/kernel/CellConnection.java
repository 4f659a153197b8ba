package lab.recall.kernel;

import io.github.spencerpark.jupyter.channels.JupyterConnection;
import io.github.spencerpark.jupyter.channels.ShellChannel;
import io.github.spencerpark.jupyter.channels.ShellReplyEnvironment;
import io.github.spencerpark.jupyter.kernel.KernelConnectionProperties;
import io.github.spencerpark.jupyter.messages.MessageContext;
import java.security.GeneralSecurityException;

/** Jupyter's sockets; each request is answered through a {@link CellEnvironment}. */
final class CellConnection extends JupyterConnection {
    CellConnection(KernelConnectionProperties properties) throws GeneralSecurityException {
        super(properties);
    }

    @Override
    public ShellReplyEnvironment prepareReplyEnv(ShellChannel channel, MessageContext request) {
        return new CellEnvironment(channel, stdin, iopub, request);
    }
}
