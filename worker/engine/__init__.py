"""The engine trains all runs of a shard at once, as columns of one matrix [D, R]: D parameters, R runs, runs last.

It is pure torch and numpy and takes plain data; it depends on no database, queue or clock. Its folders, from the top:

    trainer.py              Plan, Trainer, Epoch: trains a plan epoch by epoch.
    stack/                  A stack of runs: groups, columns and blocks, hyper-parameters per update, recorded fields.
    problems/               One file per kind of problem; supervised/ and landscape.py hold what several share.
    optimizers/             One file per family of optimizers; updates/ holds what several formulas share.
    schedules.py            Factors of learning rate and momentum over time.
    networks/               Networks computed for all runs in one call.
    numerics/               Random numbers, norms, eigenvalues, Hessian products.
    protocols.py            What a problem and an optimizer offer; the legend of the shapes in names.
    device.py               Device, threads and memory of the process.

Entry points:

    use_device(name="cpu") -> torch.device                                                             device.py
        Call once per process: checks the device, makes it the default of plans, and sets one thread.

    OptimizerRuns(kind, runs, hyper_parameters, schedules, formula=None)                         stack/groups.py
        Runs that differ in numbers only. Hyper-parameters are one number for all runs or one per run, and all must be
        given; schedules are those of learning rate and momentum. With a formula (optimizers/formula.py) the kind is
        "formula".
    group_runs(all_runs) -> tuple[Group, ...]
    Schedule(kind="constant", parameters=(), per="update", warmup_steps=0, initial_fraction=1.0)
        Parameters of the schedule as pairs of name and value; hashable.                       stack/schedule.py

    Plan(problem, groups, epochs, record_every=1, accumulate=1, dtype="float64", measure=(), device=used_device())
    Trainer(plan, checkpoint=None, poll=never_pause)                                                  trainer.py
        .fields       Names of the rows of Epoch.values_FR, in order.
        .decisions()  Decision values of each network on a grid of the plane (playground), or None.
        .run()        Generator of one Epoch per epoch, the untrained start (epoch 0) first; ends early when every run
                      has diverged. After a yield .checkpoint() gives a dict of arrays; Trainer(plan, checkpoint)
                      continues from there with the same bits. Closing the generator stops the training.
        poll()        Called many times a second. An exception ends the training there; True makes the generator yield
                      None after the current micro-batch. A checkpoint may be taken after either.

    Epoch: number, diverged_R, kept_R, values_FR, measured_FR
        Arrays are in the order of the runs. kept_R marks the runs that have a row at this epoch; it and values_FR are
        None when there is nothing to store. measured_FR marks the values that exist: where it is False the value is
        "not measured" (train_loss and update_norm at epoch 0, the momentum of an optimizer without one); where it is
        True, a NaN is the NaN of a diverging run.
"""
