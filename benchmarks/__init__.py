"""Speed and memory: `make bench` runs ``speed`` beside a frozen PyTorch reference, then ``films``.

``speed`` is the run from top to bottom. ``reference`` is what everything is compared with,
``contenders`` is what else takes part, ``serve`` and ``turns`` are the two ends of the pipe between
a contender's process and the run. ``commands`` times fresh processes, ``agreement`` compares
answers, ``pictures`` draws or finds the input, ``machine`` says what all of it ran on, and
``figures`` holds what was asked and whether it is met. ``films`` is the run on whole films, from
a DICOM file to a report, with one worker and with two.

``localiser`` says where knees are found on real films, ``gate`` what is refused (``negatives`` and
``refusals`` are what it counts), and ``whole_path`` what it costs to grade whole films instead of
cut regions, with the ``worst`` as a picture. ``coverage`` says how often intervals hold the truth,
and ``resampling`` how long they take.
"""
