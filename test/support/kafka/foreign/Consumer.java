// Reads COUNT messages of a topic from its beginning with Kafka's own Java client; prints one JSON line for each.
// Run from source: java -cp <kafka's jars> Consumer.java BOOTSTRAP TOPIC COUNT
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

public final class Consumer {
  public static void main(String[] args) throws Exception {
    int count = Integer.parseInt(args[2]);
    Map<String, Object> properties = Map.of(
        "bootstrap.servers", args[0],
        "group.id", "java-" + UUID.randomUUID(),
        "auto.offset.reset", "earliest",
        "enable.auto.commit", "false");
    ObjectMapper json = new ObjectMapper();
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      consumer.subscribe(List.of(args[1]));
      int read = 0;
      while (read < count) {
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofSeconds(1))) {
          if (read++ == count) break;
          System.out.println(json.writeValueAsString(line(record)));
        }
      }
    }
  }

  private static Map<String, Object> line(ConsumerRecord<byte[], byte[]> record) {
    Map<String, String> headers = new LinkedHashMap<>();
    for (Header header : record.headers()) headers.put(header.key(), text(header.value()));
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("key", text(record.key()));
    line.put("partition", record.partition());
    line.put("offset", record.offset());
    line.put("timestamp", record.timestamp());
    line.put("headers", headers);
    line.put("value", Base64.getEncoder().encodeToString(record.value() == null ? new byte[0] : record.value()));
    return line;
  }

  private static String text(byte[] bytes) {
    return bytes == null ? null : new String(bytes, StandardCharsets.UTF_8);
  }
}
