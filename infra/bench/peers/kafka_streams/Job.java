import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.ObjectWriter;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Produced;

/** A stateless topology over a map in memory (a global table's in-memory store is a tree, and slower). */
public final class Job {
    private static final Map<String, String> DECISIONS =
            Map.of("green", "admit", "yellow", "refuse", "red", "isolate", "unknown", "check");

    /** A scan, and what it is enriched with. */
    @JsonIgnoreProperties(ignoreUnknown = true)
    public static final class Scan {
        public String scan_id, person_token, venue_id, point_id, scanned_at, direction, channel, gateway;
        public JsonNode trip;
        public String colour, decision;
    }

    public static void main(String[] args) throws IOException {
        String bootstrap = args[0], scans = args[1], output = args[2], group = args[4];
        Map<String, String> colours = load(Path.of(args[3]));
        ObjectMapper mapper = new ObjectMapper();
        ObjectReader reader = mapper.readerFor(Scan.class);
        ObjectWriter writer = mapper.writerFor(Scan.class);

        StreamsBuilder builder = new StreamsBuilder();
        builder.stream(scans, Consumed.with(Serdes.ByteArray(), Serdes.ByteArray()))
                .mapValues(value -> {
                    try {
                        Scan scan = reader.readValue(value);
                        scan.colour = colours.getOrDefault(scan.person_token, "unknown");
                        scan.decision = DECISIONS.get(scan.colour);
                        return writer.writeValueAsBytes(scan);
                    } catch (IOException error) {
                        throw new UncheckedIOException(error);
                    }
                })
                .to(output, Produced.with(Serdes.ByteArray(), Serdes.ByteArray()));

        Properties settings = new Properties();
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, group);
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap);
        settings.put(StreamsConfig.STATE_DIR_CONFIG, System.getProperty("java.io.tmpdir"));
        settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, Integer.parseInt(args[5]));
        settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 1000);
        settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.AT_LEAST_ONCE);
        settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
        settings.put(StreamsConfig.producerPrefix(ProducerConfig.ACKS_CONFIG), "all");
        settings.put(StreamsConfig.producerPrefix(ProducerConfig.COMPRESSION_TYPE_CONFIG), "lz4");
        settings.put(StreamsConfig.producerPrefix(ProducerConfig.LINGER_MS_CONFIG), 5);
        settings.put(StreamsConfig.producerPrefix(ProducerConfig.BATCH_SIZE_CONFIG), 256 * 1024);

        KafkaStreams streams = new KafkaStreams(builder.build(), settings);
        Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
        streams.start();
    }

    private static Map<String, String> load(Path file) throws IOException {
        Map<String, String> found = new HashMap<>(1 << 21);
        try (BufferedReader lines = Files.newBufferedReader(file)) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                int tab = line.indexOf('\t');
                found.put(line.substring(0, tab), line.substring(tab + 1).intern());
            }
        }
        return found;
    }
}
