"""The decision of a job in a few words, for progress bars and tables."""

from service.client.answers import ENDED, Job


def standing(job: Job) -> str | None:
    """Say how a job that decides stands, as "16 of 10 to 500 seeds, adam better"; None for another job."""
    decision = job.get("decision")
    if decision is None:
        return None
    first = job["spec"]["seeds"]["count"]
    trained = decision["seeds_used"]
    known = [f"{one['label']} {one['verdict']}" for one in decision["labels"] if one["verdict"] != "undecided"]
    if decision["status"] == "undecided":
        known += [f"{one['label']} undecided" for one in decision["labels"] if one["verdict"] == "undecided"]
    of = "" if job["status"] in ENDED else f" of {first:,} to {decision['max_seeds']:,}"
    if decision.get("stopped"):
        known.append("stopped by a quota")
    return ", ".join([f"{trained:,}{of} seeds", *known])
