"""Does `map_file` stay small, and does it keep the engine's pace? Resident memory over a million rows with a tiny model, and texts a second with the embedded one.

    python benchmarks/bench_files.py [--rows 1000000] [--reviews 2000] [--rounds 3]"""
import argparse, json, shutil, subprocess, sys, tempfile, time
from pathlib import Path

from common import interleaved, report

TINY = """
import sys; sys.path.insert(0, {tests!r})
import tiny_encoders as tiny
from transformers import BertForSequenceClassification
rust = tiny.wordpiece()
tiny.fill(BertForSequenceClassification(tiny.config("bert", rust.get_vocab_size()))).save_pretrained({folder!r})
tiny.wrap(rust, types=True).save_pretrained({folder!r})
"""
SCORE = "from nlp_tour.pipeline import pipeline; print(pipeline('text-classification', model={model!r}).map_file({src!r}, {out!r}, progress=False))"


def watched(code):
    "Run Python; its resident memory in MiB, some times a second, and the seconds it took."
    start, run, seen = time.perf_counter(), subprocess.Popen([sys.executable, "-c", code]), []
    while run.poll() is None:
        try: seen.append(next(int(l.split()[1]) / 1024 for l in open(f"/proc/{run.pid}/status") if l.startswith("VmRSS")))
        except (FileNotFoundError, StopIteration): pass
        time.sleep(.2)
    if run.returncode: sys.exit(run.returncode)
    return seen, time.perf_counter() - start


if __name__ == "__main__":
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, value in {"rows": 1_000_000, "reviews": 2000, "rounds": 3}.items(): cli.add_argument(f"--{name}", type=int, default=value)
    args, tmp = cli.parse_args(), Path(tempfile.mkdtemp())
    subprocess.run([sys.executable, "-c", TINY.format(tests=str(Path(__file__).parent.parent/"tests"), folder=str(tmp/"tiny"))], check=True, capture_output=True)
    from nlp_tour.data import reviews
    texts = reviews()["test"]["text"][:]
    figures = {}
    for name, n in {"a tenth": args.rows // 10, "all": args.rows}.items():
        with open(tmp/"src.jsonl", "w") as f:
            for i in range(n): f.write(json.dumps({"id": i, "text": texts[i % len(texts)][:60]}) + "\n")
        shutil.rmtree(tmp/"out", ignore_errors=True)
        seen, seconds = watched(SCORE.format(model=str(tmp/"tiny"), src=str(tmp/"src.jsonl"), out=str(tmp/"out")))
        late = seen[len(seen) // 2:]
        figures[name] = dict(rows=n, file_mib=round((tmp/"src.jsonl").stat().st_size / 2**20), highest_mib=round(max(seen)), first_to_last_of_second_half_mib=[round(late[0]), round(late[-1])], seconds=round(seconds))
    from nlp_tour.pipeline import pipeline
    pipe, some = pipeline("sentiment-analysis"), texts[:args.reviews]
    (tmp/"reviews.jsonl").write_text("".join(json.dumps({"text": t}) + "\n" for t in some))
    def in_memory(): pipe(some, progress=False)
    def from_file(): shutil.rmtree(tmp/"pace", ignore_errors=True); pipe.map_file(tmp/"reviews.jsonl", tmp/"pace", progress=False)
    median, spread = interleaved({"in memory": in_memory, "map_file": from_file}, args.rounds)
    report("files", dict(memory=figures, growth_mib_from_a_tenth_to_all=figures["all"]["highest_mib"] - figures["a tenth"]["highest_mib"], texts=len(some),
                         texts_a_second={k: round(len(some) / v) for k, v in median.items()}, spread={k: round(v, 2) for k, v in spread.items()}, pace=round(median["in memory"] / median["map_file"], 3)))
    shutil.rmtree(tmp)
