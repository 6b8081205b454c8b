"""CSV and XLSX: exact, and safe to open."""

import csv
import io
import math
from datetime import date

import numpy as np
import pytest
from python_calamine import CalamineWorkbook

from mapping.errors import BadRequest
from mapping.tables import write_csv, write_text
from web.tables import rows_answer, table_headers

META = {
    "measure": "count",
    "denominator": None,
    "crime_type": "all",
    "from": "2020-01",
    "to": "2020-03",
    "boundaries": "wd20",
    "sources": ["test-constabulary"],
    "missing": [{"source": "test-constabulary", "month": "2020-02", "status": "not-supplied"}],
    "data_as_of": "2020-03",
    "data_version": "abc",
    "attribution": ["© Crown\r\nSet-Cookie: a=b", "100% 地図"],
    "estimated": [{"source": "north-force", "areas": "lsoa21", "weighted_by": "population"}],
}


def test_numbers_are_written_unrounded_and_absent_ones_empty():
    values = [1, 0.1 + 0.2, -2.5, 1e-12, np.int64(7), np.float64(0.5), None, math.nan, math.inf, np.float64("nan")]

    text = write_csv(["value"], [{"value": value} for value in values])

    assert text == "value\n1\n0.30000000000000004\n-2.5\n1e-12\n7\n0.5\n\n\n\n\n"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_text_is_run_by_a_spreadsheet(text):
    written = write_csv(["name"], [{"name": text}])

    assert list(csv.reader(io.StringIO(written, newline=""))) == [["name"], [f"'{text}"]]


@pytest.mark.parametrize("text", ["a,b", 'say "no"', "two\nlines", "a\rb", "plain", "", " space ", "Ynys Môn", "a'b"])
def test_every_text_is_read_back_as_it_was(text):
    written = write_csv(["name", "more"], [{"name": text, "more": 1}])

    assert list(csv.reader(io.StringIO(written, newline=""))) == [["name", "more"], [text, "1"]]


def test_no_text_is_obeyed_by_a_terminal():
    rows = [{"name": "Bury\x1b[2J\nEast\x9b\u202e", "value": 1}, {"name": "Ynys\u00a0Môn 東", "value": 2}]

    assert write_text(["value", "name"], rows) == "value  name\n1      Bury\\x1b[2J\\nEast\\x9b\\u202e\n2      Ynys\u00a0Môn 東"


def test_what_is_no_column_is_left_out_and_other_objects_are_text():
    assert write_csv(["b", "a"], [{"a": 1, "b": date(2020, 1, 1), "c": 3}]) == "b,a\n2020-01-01,1\n"


def test_headers_are_one_line_of_ascii_whatever_the_names():
    headers = table_headers(META)

    assert headers["X-Wardwatch-Attribution"] == "%C2%A9 Crown%0D%0ASet-Cookie: a=b; 100%25 %E5%9C%B0%E5%9B%B3"
    assert headers["X-Wardwatch-Missing"] == "test-constabulary 2020-02 not-supplied"
    assert headers["X-Wardwatch-Estimated"] == "north-force from lsoa21 by population"
    assert all(text.isascii() and text.isprintable() for text in headers.values())


def test_long_lists_are_cut_in_headers():
    missing = [{"source": "s", "month": f"20{year}-01", "status": "partial"} for year in range(10, 99)]

    header = table_headers(META | {"missing": missing})["X-Wardwatch-Missing"]

    assert header.endswith("; and 65 more")


def test_a_workbook_holds_the_rows_and_what_they_were_made_from():
    rows = [{"name": "=1+1", "value": 0.1}, {"name": "Môn", "value": None}]

    answer = rows_answer(["name", "value"], rows, META, name="count", form="xlsx")

    assert answer.headers["Content-Disposition"] == 'attachment; filename="wardwatch-count-all-wd20-2020-01-2020-03.xlsx"'
    book = CalamineWorkbook.from_filelike(io.BytesIO(answer.get_data()))
    assert book.get_sheet_by_name("Figures").to_python() == [["name", "value"], ["=1+1", 0.1], ["Môn", ""]]
    about = dict(row[:2] for row in book.get_sheet_by_name("About").to_python())
    assert about["attribution"] == "© Crown\r\nSet-Cookie: a=b; 100% 地図"
    assert about["missing"] == "test-constabulary 2020-02 not-supplied"
    assert answer.get_data() == rows_answer(["name", "value"], rows, META, name="count", form="xlsx").get_data()


def test_a_sheet_that_cannot_hold_the_rows_is_refused():
    with pytest.raises(BadRequest, match="1,048,575 rows"):
        rows_answer(["a"], [{"a": 1}] * 1_048_576, META, name="counts", form="xlsx")
