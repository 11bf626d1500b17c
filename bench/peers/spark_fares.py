# SPDX-License-Identifier: Apache-2.0
"""The job of bench/jobs/fares.cpp in pyspark local[2]; needs Java 17 and `pip install pyspark==4.3.0`: spark_fares.py FOLDER [RUNS]

The session is warm: the first run is printed but not counted.
"""
import json
import sys
import time

from pyspark.ml import Pipeline
from pyspark.ml.evaluation import RegressionEvaluator
from pyspark.ml.feature import Imputer, OneHotEncoder, StandardScaler, StringIndexer, VectorAssembler
from pyspark.ml.regression import LinearRegression
from pyspark.sql import SparkSession, functions as F

folder, runs = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 2
spark = SparkSession.builder.master("local[2]").config("spark.driver.memory", "3g").config("spark.ui.enabled", "false").getOrCreate()
spark.sparkContext.setLogLevel("ERROR")
schema = ("lpep_pickup_datetime timestamp, PULocationID string, DOLocationID string, RatecodeID string, passenger_count float, "
          "trip_distance float, fare_amount float")
zones = ["PULocationID", "DOLocationID"]


def job():
    trips = spark.read.csv(f"{folder}/trips.csv", header=True, schema=schema)
    trips = trips.where("fare_amount > 0 and fare_amount < 200 and trip_distance > 0 and trip_distance < 100")
    trips = trips.withColumn("root_distance", F.sqrt("trip_distance")).withColumn(
        "night", ((F.hour("lpep_pickup_datetime") >= 20) | (F.hour("lpep_pickup_datetime") < 6)).cast("float")).withColumn(
        "seconds", F.col("lpep_pickup_datetime").cast("double")).cache()
    border = trips.approxQuantile("seconds", [0.8], 0.0)[0]
    train, test = trips.where(F.col("seconds") < border), trips.where(F.col("seconds") >= border)
    pipeline = Pipeline(stages=[
        Imputer(inputCols=["passenger_count"], outputCols=["passengers"], strategy="median"),
        StringIndexer(inputCols=zones, outputCols=["from", "to"], handleInvalid="keep"),
        OneHotEncoder(inputCols=["from", "to"], outputCols=["from_zone", "to_zone"]),
        VectorAssembler(inputCols=["trip_distance", "root_distance", "night", "passengers", "from_zone", "to_zone"], outputCol="raw"),
        StandardScaler(inputCol="raw", outputCol="features"),
        LinearRegression(featuresCol="features", labelCol="fare_amount", regParam=1e-3, solver="normal", standardization=False)])
    judged = pipeline.fit(train).transform(test).select("prediction", "fare_amount").cache()
    result = [RegressionEvaluator(labelCol="fare_amount", metricName=name).evaluate(judged) for name in ("rmse", "mae", "r2")]
    judged.unpersist()
    trips.unpersist()
    return result


seconds = []
for _ in range(1 + runs):
    begin = time.perf_counter()
    result = job()
    seconds.append(time.perf_counter() - begin)
print(json.dumps({"job": "fares", "peer": "pyspark local[2], warm", "threads": 2, "first": seconds[0], "seconds": seconds[1:], "result": result}))
