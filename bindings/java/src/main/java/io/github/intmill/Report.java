package io.github.intmill;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** A table that the library answered with, copied: it needs no closing. */
public final class Report {
  private final List<String> columns = new ArrayList<>();
  private final List<String[]> texts = new ArrayList<>();
  private final List<double[]> numbers = new ArrayList<>();
  private final String json;

  private Report(long report) {
    int width = (int) Native.reportColumns(report);
    for (int c = 0; c < width; ++c) {
      columns.add(Native.text(Native.reportColumn(report, c)));
    }
    for (long r = 0; r < Native.reportRows(report); ++r) {
      String[] text = new String[width];
      double[] number = new double[width];
      for (int c = 0; c < width; ++c) {
        text[c] = Native.text(Native.reportStr(report, r, c));
        number[c] = Native.reportF64(report, r, c);
      }
      texts.add(text);
      numbers.add(number);
    }
    json = Native.text(Native.reportJson(report));
  }

  /** Reads a C report, and releases it. */
  static Report take(long report) {
    try {
      return new Report(report);
    } finally {
      Native.reportRelease(report);
    }
  }

  /** Number of rows. */
  public int rows() {
    return texts.size();
  }

  /** Names of the columns; later releases may add some. */
  public List<String> columns() {
    return Collections.unmodifiableList(columns);
  }

  /** A cell as text. */
  public String text(int row, String column) {
    return texts.get(row)[index(column)];
  }

  /** A cell as a number; NaN when it is not one. */
  public double number(int row, String column) {
    return numbers.get(row)[index(column)];
  }

  /** The row whose first cell is this; -1: none. For tables of keys and values. */
  public int find(String key) {
    for (int r = 0; r < rows(); ++r) {
      if (texts.get(r)[0].equals(key)) {
        return r;
      }
    }
    return -1;
  }

  /** The whole table: an array with one object a row; numbers that are not finite are null. */
  public String toJson() {
    return json;
  }

  @Override
  public String toString() {
    return json;
  }

  private int index(String column) {
    int index = columns.indexOf(column);
    if (index < 0) {
      throw new IllegalArgumentException("no column " + column + " among " + columns);
    }
    return index;
  }
}
