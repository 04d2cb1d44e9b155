import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.camunda.zeebe.process.test.api.ZeebeTestEngine;
import io.camunda.zeebe.process.test.engine.EngineFactory;
import io.camunda.zeebe.protocol.record.Record;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.concurrent.Executors;

/**
 * Runs Camunda's in-memory engine on one port and a small control on another.
 *
 * <p>The control listens on loopback only: GET /ready, POST /time?increase=PT1H,
 * GET /records?type=INCIDENT&above=KEY (JSON lines; all records without a type).
 */
public final class ProcessTestEngine {
  private final ZeebeTestEngine engine;

  private ProcessTestEngine(ZeebeTestEngine engine) {
    this.engine = engine;
  }

  public static void main(String[] arguments) throws IOException {
    ZeebeTestEngine engine = EngineFactory.create(Integer.parseInt(arguments[0]));
    engine.start();
    Runtime.getRuntime().addShutdownHook(new Thread(engine::stop));
    new ProcessTestEngine(engine).serve(Integer.parseInt(arguments[1]));
  }

  private void serve(int port) throws IOException {
    HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
    server.createContext("/ready", exchange -> answer(exchange, 200, "ready\n"));
    server.createContext("/time", this::increaseTime);
    server.createContext("/records", this::listRecords);
    server.setExecutor(Executors.newSingleThreadExecutor());
    server.start();
  }

  private void increaseTime(HttpExchange exchange) throws IOException {
    try {
      engine.increaseTime(Duration.parse(parameter(exchange.getRequestURI(), "increase")));
      answer(exchange, 204, "");
    } catch (DateTimeParseException e) {
      answer(exchange, 400, "increase must be a duration such as PT1H\n");
    }
  }

  private void listRecords(HttpExchange exchange) throws IOException {
    String type = parameter(exchange.getRequestURI(), "type");
    String above = parameter(exchange.getRequestURI(), "above");
    long key = above.isEmpty() ? Long.MIN_VALUE : Long.parseLong(above);
    exchange.sendResponseHeaders(200, 0);
    // Written as they come: all of them at once do not fit into a small heap.
    try (var lines = new OutputStreamWriter(exchange.getResponseBody(), StandardCharsets.UTF_8)) {
      for (Record<?> record : engine.getRecordStreamSource().getRecords()) {
        if (record.getKey() > key && (type.isEmpty() || record.getValueType().name().equals(type))) {
          lines.append(record.toJson()).append('\n');
        }
      }
    }
    exchange.close();
  }

  private static String parameter(URI uri, String name) {
    String query = uri.getQuery() == null ? "" : uri.getQuery();
    for (String pair : query.split("&")) {
      if (pair.startsWith(name + "=")) {
        return pair.substring(name.length() + 1);
      }
    }
    return "";
  }

  private static void answer(HttpExchange exchange, int status, String text) throws IOException {
    byte[] body = text.getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
    if (body.length > 0) {
      exchange.getResponseBody().write(body);
    }
    exchange.close();
  }
}
