package io.github.intmill;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Finds the shim, libintmill_jni.so, and with it libintmill. In this order: the folder that the
 * system property {@code intmill.library.path} names, java.library.path, the jar. Where libintmill
 * lies beside the shim it is taken from there, and otherwise from where the system keeps libraries.
 */
final class Loader {
  static final String PROPERTY = "intmill.library.path";
  private static final String SHIM = "libintmill_jni.so";
  private static final List<String> FILES = List.of(Constants.LIBRARY, SHIM);

  private Loader() {}

  static void load() {
    String folder = System.getProperty(PROPERTY);
    if (folder != null) {
      loadFrom(Path.of(folder).toAbsolutePath());
      return;
    }
    try {
      System.loadLibrary("intmill_jni");
    } catch (UnsatisfiedLinkError notInstalled) {
      if (!loadFromJar()) {
        throw notInstalled;
      }
    }
  }

  /** The library first: the shim's dependency is met by what is loaded already. */
  private static void loadFrom(Path folder) {
    for (String name : FILES) {
      Path file = folder.resolve(name);
      if (name.equals(SHIM) || Files.exists(file)) {
        System.load(file.toString());
      }
    }
  }

  /** Unpacks what the jar has, loads it, and deletes it at once: a loaded file needs no name. */
  private static boolean loadFromJar() {
    if (Loader.class.getResource(resource(SHIM)) == null) {
      return false;
    }
    try {
      Path folder = Files.createTempDirectory("intmill");
      try {
        for (String name : FILES) {
          try (InputStream bytes = Loader.class.getResourceAsStream(resource(name))) {
            if (bytes != null) {
              Files.copy(bytes, folder.resolve(name));
            }
          }
        }
        loadFrom(folder);
      } finally {
        for (String name : FILES) {
          Files.deleteIfExists(folder.resolve(name));
        }
        Files.delete(folder);
      }
    } catch (IOException e) {
      throw new UnsatisfiedLinkError("cannot unpack " + SHIM + ": " + e);
    }
    return true;
  }

  private static String resource(String name) {
    return "linux-" + System.getProperty("os.arch") + "/" + name;
  }
}
