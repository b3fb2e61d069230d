using System.Runtime.InteropServices;

namespace Intmill;

/// <summary>A table that the library answered with, copied: it needs no disposing.</summary>
public sealed class Report
{
    private readonly string[] columns;
    private readonly (string Text, double Number)[,] cells;
    private readonly string json;

    private Report(ReportHandle report)
    {
        columns = new string[Native.intmill_report_columns(report)];
        cells = new (string, double)[Native.intmill_report_rows(report), columns.Length];
        for (int c = 0; c < columns.Length; ++c)
        {
            columns[c] = Marshal.PtrToStringUTF8(Native.intmill_report_column(report, c))!;
            for (int r = 0; r < Rows; ++r)
            {
                cells[r, c] = (Marshal.PtrToStringUTF8(Native.intmill_report_str(report, r, c))!,
                    Native.intmill_report_f64(report, r, c));
            }
        }
        json = Marshal.PtrToStringUTF8(Native.intmill_report_json(report))!;
    }

    /// <summary>Number of rows.</summary>
    public int Rows => cells.GetLength(0);

    /// <summary>Names of the columns; later releases may add some.</summary>
    public IReadOnlyList<string> Columns => columns;

    /// <summary>A cell as text.</summary>
    public string Text(int row, string column) => cells[row, Index(column)].Text;

    /// <summary>A cell as a number; NaN when it is not one.</summary>
    public double Number(int row, string column) => cells[row, Index(column)].Number;

    /// <summary>The row whose first cell is this; -1: none. For tables of keys and values.</summary>
    public int Find(string key)
    {
        for (int r = 0; r < Rows; ++r)
        {
            if (cells[r, 0].Text == key)
            {
                return r;
            }
        }
        return -1;
    }

    /// <summary>The whole table: an array with one object a row; numbers that are not finite are null.
    /// </summary>
    public string ToJson() => json;

    /// <inheritdoc/>
    public override string ToString() => json;

    /// <summary>Reads a C report, and releases it.</summary>
    internal static Report Take(ReportHandle report)
    {
        using (report)
        {
            return new Report(report);
        }
    }

    private int Index(string column)
    {
        int index = Array.IndexOf(columns, column);
        return index >= 0
            ? index
            : throw new ArgumentException($"no column {column} among {string.Join(", ", columns)}");
    }
}
