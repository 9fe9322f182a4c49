"""Writes rows to fit and to encode, and gives what scikit-learn and others make of them."""

import sys
import warnings
from pathlib import Path

import category_encoders
import numpy
import pandas
import pyarrow
import pyarrow.parquet
from feature_engine.encoding import RareLabelEncoder
from sklearn.model_selection import PredefinedSplit
from sklearn.preprocessing import KBinsDiscretizer, TargetEncoder

from answer import give

warnings.simplefilter("ignore")
folder, seed = Path(sys.argv[1]), int(Path(sys.argv[2]).name)
random = numpy.random.default_rng(seed)
CITIES = ["Zürich", "", "東京", "a", "A", " a", "O'Hara", "NULL", "São Paulo", None] + [
    f"city {number}" for number in range(30)
]


def rows(count, cities):
    chances = random.dirichlet(numpy.ones(len(cities)) * 0.5)
    frame = {
        "id": numpy.arange(count),
        "city": [cities[place] for place in random.choice(len(cities), count, p=chances)],
        "level": random.choice([0.0, -0.0, 1.5, numpy.nan, 1e300, -7.0], count),
        "y": numpy.round(random.normal(1e6, 3, count), 3),
        "flag": random.random(count) < 0.3,
        "w": random.choice([0, 1, 2, 5], count),
        "fold": random.integers(0, 4, count),
        "age": numpy.round(random.gamma(2, 20, count), random.integers(0, 3)),
    }
    table = pyarrow.table(frame, schema=SCHEMA)
    ages = [None if random.random() < 0.05 else age for age in frame["age"]]
    return table.set_column(7, "age", pyarrow.array(ages, pyarrow.float64()))


SCHEMA = pyarrow.schema(
    {
        "id": pyarrow.int64(),
        "city": pyarrow.string(),
        "level": pyarrow.float64(),
        "y": pyarrow.float64(),
        "flag": pyarrow.bool_(),
        "w": pyarrow.int64(),
        "fold": pyarrow.int64(),
        "age": pyarrow.float64(),
    }
)

train, test = rows(5000, CITIES), rows(2000, CITIES + ["new", "neu", "新"])
pyarrow.parquet.write_table(train, folder / "train.parquet", row_group_size=700)
pyarrow.parquet.write_table(test, folder / "test.parquet")


def objects(table, name):
    """A column as scikit-learn tells its categories apart: None is one, and so is NaN."""
    return numpy.array(table[name].to_pylist(), dtype=object).reshape(-1, 1)


def numbers(values):
    return [None if value is None or value != value else float(value) for value in values]


def target_means(column, target, smooth, fit=train, split=None):
    encoder = TargetEncoder(target_type="continuous", smooth=smooth, cv=split or 5)
    y = numpy.array(fit[target].to_pylist(), dtype=float)
    if split is not None:
        return numbers(encoder.fit_transform(column(fit), y)[:, 0])
    encoder.fit(column(fit), y)
    return numbers(encoder.transform(column(test))[:, 0])


def city(table):
    return objects(table, "city")


def level(table):
    # -0.0 and 0.0 are one category for both; None does not occur.
    return numpy.array(table["level"].to_pylist(), dtype=float).reshape(-1, 1)


repeated = train.take(numpy.repeat(numpy.arange(train.num_rows), train["w"].to_numpy()))
ages = train["age"].drop_null().to_numpy().reshape(-1, 1)
test_ages = numpy.array([numpy.nan if age is None else age for age in test["age"].to_pylist()])


def bins(strategy, count):
    extra = {"quantile_method": "linear"} if strategy == "quantile" else {}
    binner = KBinsDiscretizer(
        count, encode="ordinal", strategy=strategy, subsample=None, dtype=numpy.float64, **extra
    ).fit(ages)
    known = ~numpy.isnan(test_ages)
    result = numpy.full(len(test_ages), numpy.nan)
    result[known] = binner.transform(test_ages[known].reshape(-1, 1))[:, 0]
    return numbers(result)


def frequencies(fit):
    encoder = category_encoders.CountEncoder(
        normalize=True, handle_unknown=0, handle_missing="count"
    )
    encoder.fit(pandas.DataFrame({"city": city(fit)[:, 0]}, dtype=object))
    return numbers(encoder.transform(pandas.DataFrame({"city": city(test)[:, 0]}, dtype=object))["city"])


def rare(share, most=None):
    encoder = RareLabelEncoder(
        tol=share, n_categories=1, max_n_categories=most, replace_with="RARE", missing_values="ignore"
    )

    def frame(table):
        # It knows a missing value as NaN only.
        cities = [numpy.nan if city is None else city for city in table["city"].to_pylist()]
        return pandas.DataFrame({"city": pandas.Series(cities, dtype=object)})

    encoder.fit(frame(train))
    result = encoder.transform(frame(test))["city"]
    return [None if pandas.isna(value) else str(value) for value in result]


split = PredefinedSplit(train["fold"].to_numpy())
give(
    {
        "target_10": target_means(city, "y", 10.0),
        "target_0": target_means(city, "y", 0.0),
        "target_auto": target_means(city, "y", "auto"),
        "target_flag": target_means(city, "flag", "auto"),
        "target_level": target_means(level, "y", "auto"),
        "target_weighted": target_means(city, "y", 10.0, repeated),
        "target_weighted_auto": target_means(city, "y", "auto", repeated),
        "frequency": frequencies(train),
        "frequency_weighted": frequencies(repeated),
        "rare": rare(0.02),
        "quantiles": bins("quantile", 10),
        "widths": bins("uniform", 7),
        "cross_10": target_means(city, "y", 10.0, train, split),
        "cross_auto": target_means(city, "y", "auto", train, split),
    }
)
