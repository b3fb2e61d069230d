"""Reports: tables with rows and named columns."""

from __future__ import annotations

import json
from typing import Any, Dict, Iterator, List

from ._library import Handle, invalid, lib


class Report(Handle):
    """A read-only table: len() is its number of rows, iterating gives each row as a dict."""

    __slots__ = ()
    _release = lib.intmill_report_release

    def __len__(self) -> int:
        return int(lib.intmill_report_rows(self._use()))

    @property
    def columns(self) -> List[str]:
        table = self._use()
        return [lib.intmill_report_column(table, i).decode()
                for i in range(lib.intmill_report_columns(table))]

    def text(self, row: int, column: str) -> str:
        """A cell as text."""
        return str(lib.intmill_report_str(self._use(), row, self._column(row, column)).decode())

    def number(self, row: int, column: str) -> float:
        """A cell as a number; NaN when it is not one."""
        return float(lib.intmill_report_f64(self._use(), row, self._column(row, column)))

    def _column(self, row: int, column: str) -> int:
        columns = self.columns
        if column not in columns:
            raise invalid(f"no column '{column}' in this report, only {', '.join(columns)}")
        if not 0 <= row < len(self):
            raise IndexError(f"row {row} of a report with {len(self)}")
        return columns.index(column)

    @property
    def json(self) -> str:
        """The whole table: an array with one object a row; numbers that are not finite are null."""
        return str(lib.intmill_report_json(self._use()).decode())

    def __iter__(self) -> Iterator[Dict[str, Any]]:
        for i, row in enumerate(json.loads(self.json)):
            for column, cell in row.items():
                if cell is None:  # JSON has no infinity
                    row[column] = self.number(i, column)
            yield row

    def values(self) -> Dict[str, Any]:
        """Of a table of keys and values: a dict."""
        if not {"key", "value"} <= set(self.columns):
            raise invalid(f"a report of {', '.join(self.columns)} is not one of keys and values")
        return {row["key"]: row["value"] for row in self}
