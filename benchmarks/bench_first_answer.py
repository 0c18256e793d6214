"""How soon does a fresh process answer? From starting Python to the first answer, ours and transformers.pipeline on the same folder.

    python benchmarks/bench_first_answer.py [--rounds 5]"""
import argparse, subprocess, sys

from common import interleaved, report

from nlp_tour.names import embedded

if __name__ == "__main__":
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_argument("--rounds", type=int, default=5)
    folder = str(embedded("sentiment"))
    codes = {"import torch": "import torch", "import nlp_tour": "import nlp_tour", "python alone": "",
             "ours": f"from nlp_tour.pipeline import pipeline; pipeline('sentiment-analysis', model={folder!r})('We are very happy.')",
             "ours, embedded by default": "from nlp_tour.pipeline import pipeline; pipeline('sentiment-analysis')('We are very happy.')",
             "stock": f"import transformers; transformers.pipeline('sentiment-analysis', model={folder!r})('We are very happy.')"}
    def fresh(code): return lambda: subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    for code in codes.values(): fresh(code)()  # fill the disk cache
    median, spread = interleaved({k: fresh(c) for k, c in codes.items()}, cli.parse_args().rounds)
    report("first_answer", dict(seconds={k: round(v, 3) for k, v in median.items()}, spread={k: round(v, 2) for k, v in spread.items()},
                                times_sooner_than_stock=round(median["stock"] / median["ours"], 2), import_nlp_tour=round(median["import nlp_tour"] - median["python alone"], 3)))
