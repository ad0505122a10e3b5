import io.trino.server.Server;

/** Starts Trino as its own launcher does; that launcher is in no artifact of its own. */
public final class RunTrino {
    private RunTrino() {}

    public static void main(String[] arguments) {
        new Server().start(arguments[0]);
    }
}
