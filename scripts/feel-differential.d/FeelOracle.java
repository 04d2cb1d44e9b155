import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.camunda.connector.feel.FeelEngineWrapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/**
 * Camunda's FEEL as its connector runtime runs it: reads JSON lines {"expr", "context"} and
 * answers {"value"} or {"error"} a line, as `servicenow-worker feel --lines` does.
 */
public final class FeelOracle {
  /** Deep expressions need more stack than a main thread has. */
  private static final long STACK_BYTES = 64L << 20;

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final FeelEngineWrapper ENGINE = new FeelEngineWrapper();

  public static void main(String[] arguments) throws InterruptedException {
    Thread worker = new Thread(null, FeelOracle::answerAll, "oracle", STACK_BYTES);
    worker.start();
    worker.join();
  }

  private static void answerAll() {
    PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    try (var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        out.println(answer(line));
      }
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
    out.flush();
  }

  private static ObjectNode answer(String line) throws IOException {
    JsonNode input = JSON.readTree(line);
    Map<?, ?> context = JSON.convertValue(input.get("context"), Map.class);
    ObjectNode answer = JSON.createObjectNode();
    try {
      String value = ENGINE.evaluateToJson(input.get("expr").asText(), context);
      return answer.set("value", value == null ? JSON.nullNode() : JSON.readTree(value));
    } catch (Throwable e) {
      return answer.put("error", reason(e));
    }
  }

  private static String reason(Throwable failure) {
    Throwable cause = failure;
    while (cause.getCause() != null) {
      cause = cause.getCause();
    }
    return cause.getClass().getSimpleName() + ": " + cause.getMessage();
  }
}
