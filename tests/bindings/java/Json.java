import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reads JSON: objects as maps, arrays as lists, numbers as Long or Double. It trusts its input. */
final class Json {
  private final String text;
  private int at;

  private Json(String text) {
    this.text = text;
  }

  static Object parse(String text) {
    return new Json(text).value();
  }

  static String quote(String text) {
    StringBuilder quoted = new StringBuilder("\"");
    for (char c : text.toCharArray()) {
      if (c == '"' || c == '\\') {
        quoted.append('\\').append(c);
      } else if (c < ' ') {
        quoted.append(String.format("\\u%04x", (int) c));
      } else {
        quoted.append(c);
      }
    }
    return quoted.append('"').toString();
  }

  private char peek() {
    while (Character.isWhitespace(text.charAt(at))) {
      ++at;
    }
    return text.charAt(at);
  }

  /** Passes a character if it is the next. */
  private boolean pass(char c) {
    boolean next = peek() == c;
    at += next ? 1 : 0;
    return next;
  }

  private Object value() {
    switch (peek()) {
      case '{':
        return object();
      case '[':
        return array();
      case '"':
        return string();
      default:
        return number();
    }
  }

  private Map<String, Object> object() {
    Map<String, Object> object = new LinkedHashMap<>();
    for (pass('{'); !pass('}'); pass(',')) {
      peek();
      String key = string();
      pass(':');
      object.put(key, value());
    }
    return object;
  }

  private List<Object> array() {
    List<Object> array = new ArrayList<>();
    for (pass('['); !pass(']'); pass(',')) {
      array.add(value());
    }
    return array;
  }

  private String string() {
    StringBuilder string = new StringBuilder();
    for (++at; text.charAt(at) != '"'; ++at) {
      char c = text.charAt(at);
      if (c == '\\') {
        c = text.charAt(++at);
        if (c == 'u') {
          c = (char) Integer.parseInt(text.substring(at + 1, at + 5), 16);
          at += 4;
        } else if ("ntrbf".indexOf(c) >= 0) {
          c = "\n\t\r\b\f".charAt("ntrbf".indexOf(c));
        }
      }
      string.append(c);
    }
    ++at;
    return string.toString();
  }

  private Number number() {
    int first = at;
    while (at < text.length() && "+-.eE0123456789".indexOf(text.charAt(at)) >= 0) {
      ++at;
    }
    String number = text.substring(first, at);
    if (number.matches("-?\\d+")) {
      return Long.valueOf(number);
    }
    return Double.valueOf(number);
  }
}
