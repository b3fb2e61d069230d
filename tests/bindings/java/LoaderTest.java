package io.github.intmill;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.spi.ToolProvider;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Each way to find the shim and the library, in a JVM of its own. */
class LoaderTest {
  private static final Path BUILD = Path.of(System.getProperty("intmill.library.path"));
  private static final Path JAR = Path.of(System.getProperty("intmill.jar"));
  private static final Path CLASSES = JAR.resolveSibling("classes"); // without a shim
  private static final String TESTS = System.getProperty("intmill.tests");

  @TempDir Path folder;

  /** What PrintVersion says in a new JVM, errors included. */
  private String run(Path binding, Path libraries, String... properties) throws Exception {
    return run(List.of("-cp", binding + ":" + TESTS), libraries, properties);
  }

  private String run(List<String> paths, Path libraries, String... properties) throws Exception {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin/java").toString());
    command.addAll(List.of("-Djava.io.tmpdir=" + folder, "-XX:TieredStopAtLevel=1"));
    command.addAll(Arrays.asList(properties));
    command.addAll(paths);
    command.add("PrintVersion");
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("LD_LIBRARY_PATH", libraries.toString());
    Process child = builder.start();
    String said = new String(child.getInputStream().readAllBytes());
    child.waitFor();
    return said.lines()
        .filter(line -> !line.startsWith("WARNING") && !line.isEmpty())
        .toList()
        .toString();
  }

  private static String version() {
    return "[" + Intmill.version() + "]";
  }

  @Test
  void findsTheFolderOfTheProperty() throws Exception {
    assertEquals(version(), run(CLASSES, folder, "-Dintmill.library.path=" + BUILD));
  }

  @Test
  void looksNowhereElseWhenThePropertyIsSet() throws Exception {
    String said = run(JAR, BUILD, "-Dintmill.library.path=" + folder);
    assertTrue(said.contains("UnsatisfiedLinkError") && said.contains(folder.toString()), said);
  }

  @Test
  void findsJavaLibraryPath() throws Exception {
    assertEquals(version(), run(CLASSES, BUILD, "-Djava.library.path=" + BUILD));
  }

  @Test
  void findsTheShimInTheJarAndLeavesNothingBehind() throws Exception {
    assertEquals(version(), run(JAR, BUILD, "-Djava.library.path=" + folder));
    assertEquals(0, entries(folder));
  }

  @Test
  void findsALibraryThatWasAddedToTheJar() throws Exception {
    Path resources = Path.of("io/github/intmill/linux-" + System.getProperty("os.arch"));
    Path added = Files.createDirectories(folder.resolve("added").resolve(resources));
    Files.copy(BUILD.resolve(Constants.LIBRARY), added.resolve(Constants.LIBRARY));
    Path whole = Files.copy(JAR, folder.resolve("whole.jar"));
    ToolProvider.findFirst("jar")
        .orElseThrow()
        .run(
            System.out,
            System.err,
            "--update",
            "--file=" + whole,
            "-C",
            folder.resolve("added").toString(),
            resources.resolve(Constants.LIBRARY).toString());
    assertEquals(version(), run(whole, folder, "-Djava.library.path=" + folder));
    assertEquals(2, entries(folder)); // what this test made
  }

  @Test
  void isAModule() throws Exception {
    List<String> paths =
        List.of("-p", JAR.toString(), "--add-modules", "io.github.intmill", "-cp", TESTS);
    assertEquals(version(), run(paths, BUILD, "-Djava.library.path=" + folder));
  }

  @Test
  void saysWhatIsMissing() throws Exception {
    String said = run(CLASSES, BUILD, "-Djava.library.path=" + folder);
    assertTrue(said.contains("no intmill_jni in java.library.path"), said);
  }

  private static long entries(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(file -> !file.getFileName().toString().startsWith("hsperfdata")).count();
    }
  }
}
