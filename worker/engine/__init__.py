"""The engine: how is a stack of runs trained, exactly and all at once?

All runs are columns of one matrix [D, R]: D parameters, R runs, runs last. It is pure torch and numpy, and it speaks
plain data only, so that whoever drives it decides about databases, queues and clocks. The entry points are these:

    group_entries(entries) -> tuple[Group, ...]                                                worker.engine.groups
        Entry(kind, runs, settings, courses): runs that differ in numbers only; a setting is a number, or one per run.
        Missing settings take torch's defaults; courses say how learning rate and momentum change over time.
    group_runs(optimizers, optimizer_of_run, courses=None) does the same for runs that are given one by one.

    Course(kind="constant", settings=(), per="update", warmup_steps=0, initial_fraction=1.0)   worker.engine.course
        settings: the schedule's own, as pairs of a name and a value; it is hashable.

    FlipNet(seeds, batch_size=1, shuffle=False)                                                worker.engine.problems
    Surface(expression, starts, seeds, noise=0.0, batch_size=1, minima=(), shift=None)
    Quadratic(eigenvalues, starts, seeds, angle=0.0, noise=0.0, batch_size=1, shift=None)
    Digits(seeds, model="mlp", hidden=32, batch_size=32, shuffle=True, train_size=None, label_noise=0.0, augment=False)
    Playground(seeds, dataset="circles", noise=0.05, size=200, data_seed=0, widths=(8,), activation="tanh",
               batch_size=16, shuffle=True)
        seeds: one integer per run; starts: one point per run [runs, D]; batch_size: an integer or "full".
        PROBLEMS maps a kind to its class, OPTIMIZERS and SCHEDULES do the same for theirs.

    Plan(problem, groups, epochs, record_every=1, accumulate=1, dtype="float64", measure=(),
         device=used_device())                                                                 worker.engine.trainer
        measure: names of extra fields, of worker.engine.measures.MEASURES.
    Trainer(plan, checkpoint=None, look=never)
        .fields       names of the rows of Epoch.values_FR, in order
        .decisions()  what each network decides on a grid of the plane (the playground's), or None
        .run()        a generator of one Epoch per epoch, the untrained start (epoch 0) first; ends early when every run
                      has diverged. After a yield .checkpoint() gives a dict of arrays; Trainer(plan, checkpoint)
                      goes on from there with the same bits. Closing the generator stops the training.
        look()        is asked many times a second. What it raises ends the training there; where it says True, the
                      generator yields None after the micro-batch at hand. Either is a turn for a checkpoint.

    Epoch: number, diverged_R, kept_R, values_FR, measured_FR                                  worker.engine.trainer
        Arrays are in the order of the runs. kept_R marks the runs that have a row at this epoch; it and values_FR are
        None when there is nothing to store. measured_FR says which values exist at all: where it is False the value
        is "not measured" (train_loss and update_norm at epoch 0, the momentum of an optimizer that has none), where
        it is True a NaN is the true NaN of a run that diverges.

    use_device(name="cpu") -> torch.device                                                     worker.engine.device
        call once per process: checks the device, on which plans then train by default, and sets one thread.
"""
