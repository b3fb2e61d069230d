import io.github.intmill.Intmill;

/** What LoaderTest runs in other JVMs. */
final class PrintVersion {
  public static void main(String[] args) {
    System.out.println(Intmill.version());
  }
}
