import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.apache.flink.table.functions.FunctionContext;
import org.apache.flink.table.functions.ScalarFunction;

/** What a person's colour decides. */
public final class DecisionOf extends ScalarFunction {
    private static final Map<String, String> DECISIONS =
            Map.of("green", "admit", "yellow", "refuse", "red", "isolate", "unknown", "check");
    private transient Map<String, String> table;

    @Override
    public void open(FunctionContext context) throws IOException {
        table = ColourOf.load(Path.of(System.getProperty("colours")));
    }

    public String eval(String person) {
        return DECISIONS.get(table.getOrDefault(person, "unknown"));
    }
}
