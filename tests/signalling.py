"""Signalling blots made for tests: planted lanes, and small tables with a truth of one's own."""

import numpy as np
import pandas as pd

BAND = {"lane_role": "sample", "excluded": False, "exclusion_reason": "", "saturated": False}
STIMULI = ("starved", "Leu", "Arg", "Gln", "Asn", "all")
RAG = {"Leu": 2.0, "Arg": 1.8, "Gln": 1.6, "Asn": 1.4, "all": 3.0, "starved": 0.0}
NO_RAG = {"Leu": 0.1, "Arg": 0.1, "Gln": 1.5, "Asn": 1.3, "all": 1.7, "starved": 0.0}
NO_BOTH = {"Leu": 0.05, "Arg": 0.05, "Gln": 0.15, "Asn": 0.1, "all": 0.25, "starved": 0.0}


def typed(rows):
    return pd.DataFrame(rows).astype({"saturated": "boolean", "volume": float})


def planted(shared, scenario):
    """A planted scenario as a band table."""
    lanes = pd.read_csv(shared / "mtorc1/planted/lanes.csv")
    rows = []
    for lane in lanes[lanes["scenario"].eq(scenario)].to_dict("records"):
        own = {key: lane[key] for key in ("experiment", "lane", "genotype", "drug", "stimulus")}
        own["membrane"] = lane["gel"]
        own["genotype"] = {"DKO": "RagAB_KO"}.get(own["genotype"], own["genotype"])
        own["drug"] = {"veh": "vehicle"}.get(own["drug"], own["drug"])
        if own["stimulus"] == "all+Torin":
            own |= {"stimulus": "all", "drug": "Torin"}
        if own["stimulus"] == "ref":
            own |= {"genotype": "reference", "drug": "vehicle", "stimulus": "reference"}
        for target, volume, background in (
            ("pS6K_T389", lane["pS6K_T389_volume"], lane["pS6K_background"]),
            ("S6K", lane["S6K_total_volume"], lane["S6K_background"]),
            ("total_protein", lane["total_protein"], 0.0),
        ):
            band = {"target": target, "volume": volume, "background": background}
            rows.append(BAND | own | band)
    return typed(rows)


def made(experiments=4, sd=0.1, seed=1, truths=(RAG, RAG, NO_RAG, NO_BOTH), torin=-1.0):
    """A band table with truths of wild type, wild type + BFA, knock-out, knock-out + BFA."""
    rng = np.random.default_rng(seed)
    arms = [("WT", "vehicle"), ("WT", "BFA"), ("RagAB_KO", "vehicle"), ("RagAB_KO", "BFA")]
    rows = []
    for experiment in range(1, experiments + 1):
        lane = 0
        for (genotype, drug), truth in zip(arms, truths, strict=True):
            todo = [(drug, name, truth[name]) for name in STIMULI]
            todo += [("Torin", "all", torin)] if drug == "vehicle" else []
            for given, stimulus, level in todo:
                lane += 1
                phospho = 1000 * 2 ** (level + sd * rng.standard_normal())
                own = {
                    "experiment": experiment,
                    "membrane": f"E{experiment}",
                    "lane": lane,
                    "genotype": genotype,
                    "drug": given,
                    "stimulus": stimulus,
                    "background": 50.0,
                }
                for target, net in (("pS6K_T389", phospho), ("S6K", 2000), ("total_protein", 1e5)):
                    rows.append(BAND | own | {"target": target, "volume": net + 50.0})
    return typed(rows)
