import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.TableEnvironment;

/** Runs the statements of the SQL file that its first argument names, in a cluster within this process. */
public final class Job {
    public static void main(String[] args) throws Exception {
        TableEnvironment tables =
                TableEnvironment.create(EnvironmentSettings.newInstance().inStreamingMode().build());
        tables.createTemporarySystemFunction("colour_of", ColourOf.class);
        tables.createTemporarySystemFunction("decision_of", DecisionOf.class);
        for (String statement : Files.readString(Path.of(args[0])).split(";")) {
            if (statement.strip().startsWith("SET")) {
                String[] parts = statement.split("'");
                tables.getConfig().set(parts[1], parts[3]);
            } else if (!statement.isBlank()) {
                tables.executeSql(statement);
            }
        }
        Thread.currentThread().join();
    }
}
