"""Publications of the optimizers, by author and year."""

from service.spec.references import Reference

_ICLR = "International Conference on Learning Representations"
_ICML = "International Conference on Machine Learning"
_NEURIPS = "Advances in Neural Information Processing Systems"

ROBBINS_1951 = Reference(
    "robbins1951", ("Herbert Robbins", "Sutton Monro"), "A Stochastic Approximation Method", 1951,
    journal="The Annals of Mathematical Statistics", volume="22", pages="400-407",
)  # fmt: skip
POLYAK_1964 = Reference(
    "polyak1964", ("Boris T. Polyak",), "Some Methods of Speeding Up the Convergence of Iteration Methods", 1964,
    journal="USSR Computational Mathematics and Mathematical Physics", volume="4", pages="1-17",
)  # fmt: skip
NESTEROV_1983 = Reference(
    "nesterov1983", ("Yurii Nesterov",),
    "A Method of Solving a Convex Programming Problem with Convergence Rate O(1/k²)", 1983,
    journal="Soviet Mathematics Doklady", volume="27", pages="372-376",
)  # fmt: skip
SUTSKEVER_2013 = Reference(
    "sutskever2013", ("Ilya Sutskever", "James Martens", "George Dahl", "Geoffrey Hinton"),
    "On the Importance of Initialization and Momentum in Deep Learning", 2013, conference=_ICML,
)  # fmt: skip
MA_2019 = Reference(
    "ma2019", ("Jerry Ma", "Denis Yarats"), "Quasi-Hyperbolic Momentum and Adam for Deep Learning", 2019,
    conference=_ICLR,
)  # fmt: skip
POLYAK_1992 = Reference(
    "polyak1992", ("Boris T. Polyak", "Anatoli B. Juditsky"),
    "Acceleration of Stochastic Approximation by Averaging", 1992,
    journal="SIAM Journal on Control and Optimization", volume="30", pages="838-855",
)  # fmt: skip
KINGMA_2015 = Reference(
    "kingma2015", ("Diederik P. Kingma", "Jimmy Ba"), "Adam: A Method for Stochastic Optimization", 2015,
    conference=_ICLR,
)  # fmt: skip
REDDI_2018 = Reference(
    "reddi2018", ("Sashank J. Reddi", "Satyen Kale", "Sanjiv Kumar"), "On the Convergence of Adam and Beyond", 2018,
    conference=_ICLR,
)  # fmt: skip
LOSHCHILOV_2019 = Reference(
    "loshchilov2019", ("Ilya Loshchilov", "Frank Hutter"), "Decoupled Weight Decay Regularization", 2019,
    conference=_ICLR,
)  # fmt: skip
DOZAT_2016 = Reference(
    "dozat2016", ("Timothy Dozat",), "Incorporating Nesterov Momentum into Adam", 2016,
    conference=f"{_ICLR}, Workshop Track",
)  # fmt: skip
LIU_2020 = Reference(
    "liu2020",
    ("Liyuan Liu", "Haoming Jiang", "Pengcheng He", "Weizhu Chen", "Xiaodong Liu", "Jianfeng Gao", "Jiawei Han"),
    "On the Variance of the Adaptive Learning Rate and Beyond", 2020, conference=_ICLR,
)  # fmt: skip
DUCHI_2011 = Reference(
    "duchi2011", ("John Duchi", "Elad Hazan", "Yoram Singer"),
    "Adaptive Subgradient Methods for Online Learning and Stochastic Optimization", 2011,
    journal="Journal of Machine Learning Research", volume="12", pages="2121-2159",
)  # fmt: skip
ZEILER_2012 = Reference(
    "zeiler2012", ("Matthew D. Zeiler",), "ADADELTA: An Adaptive Learning Rate Method", 2012,
    published="arXiv:1212.5701",
)  # fmt: skip
TIELEMAN_2012 = Reference(
    "tieleman2012", ("Tijmen Tieleman", "Geoffrey Hinton"),
    "Lecture 6.5: Divide the Gradient by a Running Average of Its Recent Magnitude", 2012,
    published="Neural Networks for Machine Learning, Coursera",
)  # fmt: skip
GRAVES_2013 = Reference(
    "graves2013", ("Alex Graves",), "Generating Sequences With Recurrent Neural Networks", 2013,
    published="arXiv:1308.0850",
)  # fmt: skip
RIEDMILLER_1993 = Reference(
    "riedmiller1993", ("Martin Riedmiller", "Heinrich Braun"),
    "A Direct Adaptive Method for Faster Backpropagation Learning: The RPROP Algorithm", 1993,
    conference="IEEE International Conference on Neural Networks", pages="586-591",
)  # fmt: skip
SHAZEER_2018 = Reference(
    "shazeer2018", ("Noam Shazeer", "Mitchell Stern"),
    "Adafactor: Adaptive Learning Rates with Sublinear Memory Cost", 2018, conference=_ICML,
)  # fmt: skip
BERNSTEIN_2018 = Reference(
    "bernstein2018", ("Jeremy Bernstein", "Yu-Xiang Wang", "Kamyar Azizzadenesheli", "Anima Anandkumar"),
    "signSGD: Compressed Optimisation for Non-Convex Problems", 2018, conference=_ICML,
)  # fmt: skip
CHEN_2023 = Reference(
    "chen2023", ("Xiangning Chen",), "Symbolic Discovery of Optimization Algorithms", 2023, conference=_NEURIPS,
    others=True,
)  # fmt: skip
DEFAZIO_2024 = Reference(
    "defazio2024",
    ("Aaron Defazio", "Xingyu Alice Yang", "Harsh Mehta", "Konstantin Mishchenko", "Ahmed Khaled", "Ashok Cutkosky"),
    "The Road Less Scheduled", 2024, conference=_NEURIPS,
)  # fmt: skip
YOU_2017 = Reference(
    "you2017", ("Yang You", "Igor Gitman", "Boris Ginsburg"),
    "Large Batch Training of Convolutional Networks", 2017, published="arXiv:1708.03888",
)  # fmt: skip
YOU_2020 = Reference(
    "you2020", ("Yang You",), "Large Batch Optimization for Deep Learning: Training BERT in 76 Minutes", 2020,
    conference=_ICLR, others=True,
)  # fmt: skip
JORDAN_2024 = Reference(
    "jordan2024", ("Keller Jordan",), "Muon: An Optimizer for Hidden Layers in Neural Networks", 2024, others=True,
    url="https://kellerjordan.github.io/posts/muon/",
)  # fmt: skip
LIU_2025 = Reference(
    "liu2025", ("Jingyuan Liu",), "Muon is Scalable for LLM Training", 2025, published="arXiv:2502.16982", others=True,
)  # fmt: skip
