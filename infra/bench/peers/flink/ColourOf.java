import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.apache.flink.table.functions.FunctionContext;
import org.apache.flink.table.functions.ScalarFunction;

/** The colour of a person, from a table that every instance in the process shares. */
public final class ColourOf extends ScalarFunction {
    private static Map<String, String> colours;
    private transient Map<String, String> table;

    @Override
    public void open(FunctionContext context) throws IOException {
        table = load(Path.of(System.getProperty("colours")));
    }

    public String eval(String person) {
        return table.getOrDefault(person, "unknown");
    }

    static synchronized Map<String, String> load(Path file) throws IOException {
        if (colours == null) {
            Map<String, String> found = new HashMap<>(1 << 21);
            try (BufferedReader lines = Files.newBufferedReader(file)) {
                for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                    int tab = line.indexOf('\t');
                    found.put(line.substring(0, tab), line.substring(tab + 1).intern());
                }
            }
            colours = found;
        }
        return colours;
    }
}
