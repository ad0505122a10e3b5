import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.Reader;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.embulk.EmbulkDependencyClassLoader;
import org.embulk.EmbulkEmbed;
import org.embulk.config.ConfigException;
import org.embulk.config.ConfigSource;
import org.embulk.plugin.PluginClassLoader;
import org.embulk.spi.DecoderPlugin;
import org.embulk.spi.FileInputPlugin;
import org.embulk.spi.OutputPlugin;
import org.embulk.spi.ParserPlugin;
import org.slf4j.LoggerFactory;

/**
 * Runs loads of Embulk: one configuration after the other, each whatever became of the one before.
 * A single "-" reads their names from standard input, one a line, until it ends.
 *
 * <p>Each ends with one line of JSON on standard output; the log goes to standard error, after a
 * line that names the configuration. The exit code is that of the worst: 0 all loaded, 1 a load
 * failed, 2 a configuration cannot be read or was refused (trying again does not help).
 *
 * <p>The folder that assemble.sh made is named by the system property embulk.home.
 */
public final class RunEmbulk {
    private static final int LOADED = 0;
    private static final int FAILED = 1;
    private static final int REFUSED = 2;
    private static final String[] WORDS = {"loaded", "failed", "refused"};
    private static final Pattern PLACE = Pattern.compile("line \\d+, column \\d+");

    private final PrintStream results;
    private final EmbulkEmbed embulk;
    private final Counts counts = new Counts();

    private RunEmbulk(final PrintStream results, final EmbulkEmbed embulk) {
        this.results = results;
        this.embulk = embulk;
        this.counts.start();
        ((Logger) LoggerFactory.getLogger(Logger.ROOT_LOGGER_NAME)).addAppender(this.counts);
    }

    public static void main(final String[] files) throws Exception {
        final String home = System.getProperty("embulk.home");
        if (home == null || files.length == 0) {
            System.err.println(
                    "Usage: java -Dembulk.home=FOLDER RunEmbulk CONFIGURATION.yml ... | -");
            System.exit(REFUSED);
        }
        // Plugins and drivers print now and then: standard output is for our lines alone.
        final PrintStream results = System.out;
        System.setOut(System.err);
        final RunEmbulk runner = new RunEmbulk(results, start(Paths.get(home).toAbsolutePath()));
        final int worst;
        if (files.length == 1 && files[0].equals("-")) {
            worst = runner.reportLines();
        } else {
            worst = Stream.of(files).mapToInt(runner::report).max().getAsInt();
        }
        System.exit(worst);
    }

    /** Starts Embulk with our plugins built in: it need not look for any. */
    private static EmbulkEmbed start(final Path home) throws Exception {
        EmbulkDependencyClassLoader.staticInitializer()
                .addDependencies(jarsIn(home.resolve("deps")))
                .initialize();
        // As Embulk's own command does: plugins bring their own class loaders.
        Thread.currentThread().setContextClassLoader(null);
        final Path plugins = home.resolve("plugins");
        final ClassLoader standard = loaderOf(plugins.resolve("standard"));
        final ClassLoader mysql = loaderOf(plugins.resolve("output-mysql"));
        final ClassLoader s3 = loaderOf(plugins.resolve("input-s3"));
        return new EmbulkEmbed.Bootstrap()
                .setEmbulkSystemProperties(new Properties())
                .builtinFileInputPlugin(
                        "file",
                        standard.loadClass("org.embulk.input.file.LocalFileInputPlugin")
                                .asSubclass(FileInputPlugin.class))
                .builtinFileInputPlugin(
                        "s3",
                        s3.loadClass("org.embulk.input.s3.S3FileInputPlugin")
                                .asSubclass(FileInputPlugin.class))
                .builtinParserPlugin(
                        "csv",
                        standard.loadClass("org.embulk.parser.csv.CsvParserPlugin")
                                .asSubclass(ParserPlugin.class))
                .builtinDecoderPlugin(
                        "gzip",
                        standard.loadClass("org.embulk.decoder.gzip.GzipFileDecoderPlugin")
                                .asSubclass(DecoderPlugin.class))
                .builtinOutputPlugin(
                        "mysql",
                        mysql.loadClass("org.embulk.output.MySQLOutputPlugin")
                                .asSubclass(OutputPlugin.class))
                .initialize();
    }

    private static List<Path> jarsIn(final Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.sorted().collect(Collectors.toList());
        }
    }

    /** Loads classes from the jars of a folder, but those that Embulk shares from Embulk. */
    private static ClassLoader loaderOf(final Path folder) throws IOException {
        final List<URL> jars = new ArrayList<>();
        for (final Path jar : jarsIn(folder)) {
            jars.add(jar.toUri().toURL());
        }
        return PluginClassLoader.create(
                EmbulkEmbed.class.getClassLoader(),
                jars,
                sharedNames("packages"),
                sharedNames("resources"));
    }

    private static Set<String> sharedNames(final String kind) throws IOException {
        final Properties names = new Properties();
        final String list = "/embulk/parent_first_" + kind + ".properties";
        try (InputStream stream = EmbulkEmbed.class.getResourceAsStream(list)) {
            names.load(stream);
        }
        return names.stringPropertyNames();
    }

    private int reportLines() throws IOException {
        final Reader input = new InputStreamReader(System.in, StandardCharsets.UTF_8);
        int worst = LOADED;
        try (BufferedReader lines = new BufferedReader(input)) {
            for (String file = lines.readLine(); file != null; file = lines.readLine()) {
                worst = Math.max(worst, this.report(file));
            }
        }
        return worst;
    }

    private int report(final String file) {
        System.err.println("== " + file);
        this.counts.reset();
        final long began = System.nanoTime();
        final int code = this.run(file);
        final double seconds = (System.nanoTime() - began) / 1e9;
        this.results.println(
                String.format(
                        Locale.ROOT,
                        "{\"config\": \"%s\", \"status\": \"%s\", \"rows\": %d, \"skipped\": %d,"
                                + " \"seconds\": %.3f}",
                        file.replace("\\", "\\\\").replace("\"", "\\\""),
                        WORDS[code],
                        this.counts.rows.get(),
                        this.counts.skipped.get(),
                        seconds));
        this.results.flush();
        return code;
    }

    private int run(final String file) {
        final ConfigSource config;
        try {
            final byte[] text = Files.readAllBytes(Paths.get(file));
            config = this.embulk.newConfigLoader()
                    .fromYamlString(new String(text, StandardCharsets.UTF_8));
        } catch (final IOException | RuntimeException ex) {
            // Not the message: it quotes lines of the file, which may hold a password.
            final Matcher place = PLACE.matcher(String.valueOf(ex.getMessage()));
            String where = "";
            while (place.find()) {
                where = ", " + place.group();
            }
            System.err.println("Cannot read " + file + where + ": " + ex.getClass().getName());
            return REFUSED;
        }
        try {
            this.embulk.run(config);
            return LOADED;
        } catch (final Exception ex) {
            ex.printStackTrace(System.err);
            return isRefusal(ex) ? REFUSED : FAILED;
        }
    }

    private static boolean isRefusal(final Throwable thrown) {
        for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
            if (cause instanceof ConfigException) {
                return true;
            }
        }
        return false;
    }

    /** Counts rows in what the plugins say: Embulk has no other word about them. */
    private static final class Counts extends AppenderBase<ILoggingEvent> {
        // One thread sends one batch after the other: "Loading 3 rows" (again when it is tried
        // again), then "> 0.01 seconds (loaded 3 rows in total)".
        private static final Pattern SENDING = Pattern.compile("Loading ([\\d,.]+) rows");
        private static final Pattern SENT = Pattern.compile("\\(loaded [\\d,.]+ rows in total\\)$");

        private final AtomicLong rows = new AtomicLong();
        private final AtomicLong skipped = new AtomicLong();
        private final Map<String, Long> sending = new ConcurrentHashMap<>();

        private void reset() {
            this.rows.set(0);
            this.skipped.set(0);
            this.sending.clear();
        }

        @Override
        protected void append(final ILoggingEvent event) {
            final String text = event.getFormattedMessage();
            final Matcher sends = SENDING.matcher(text);
            if (sends.matches()) {
                final long batch = Long.parseLong(sends.group(1).replaceAll("[,.]", ""));
                this.sending.put(event.getThreadName(), batch);
            } else if (SENT.matcher(text).find()) {
                final Long batch = this.sending.remove(event.getThreadName());
                this.rows.addAndGet(batch == null ? 0 : batch);
            } else if (text.startsWith("Skipped line ")) {
                this.skipped.incrementAndGet();
            }
        }
    }
}
