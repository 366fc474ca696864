"""Run statements through Spark Connect; runs in an environment of its own (.venv-spark).

Standard input: the server's address and the statements, as JSON. Standard output: a pickled list of
the values of each statement's column `value`.
"""

import json
import pickle
import sys

from pyspark.sql import SparkSession

request = json.load(sys.stdin)
session = SparkSession.builder.remote(request["server"]).getOrCreate()
session.conf.set("spark.sql.session.timeZone", "UTC")
found = [[row["value"] for row in session.sql(each).collect()] for each in request["statements"]]
sys.stdout.buffer.write(pickle.dumps(found))
