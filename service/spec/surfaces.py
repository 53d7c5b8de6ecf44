"""Named surfaces of the catalogue: formulas, domains, minima and typical starts.

Minima are exact to double precision: computed by Newton's method with 60 digits from values in the literature, then
rounded.
"""

from service.spec.shapes import SHAPES, Surface

_SURVEY = "Jamil and Yang, A Literature Survey of Benchmark Functions for Global Optimisation Problems, 2013"

CLASSICS = (
    Surface(
        name="rosenbrock",
        title="Rosenbrock's valley",
        formula="(1 - x)**2 + 100*(y - x**2)**2",
        domain=((-2, 2), (-1, 3)),
        minima=((1.0, 1.0),),
        start=(-1.2, 1.0),
        sentence="A narrow valley that bends: easy to enter, slow to follow to its end.",
        reference="Rosenbrock, An Automatic Method for Finding the Greatest or Least Value of a Function, 1960",
    ),
    Surface(
        name="banana",
        title="Banana",
        formula="(1 - x)**2 + 20*(3*y - x**2)**2",
        domain=((-2, 2), (-0.267, 1.067)),
        minima=((1.0, 1 / 3),),
        start=(-1.21, 0.853),
        sentence="Rosenbrock's valley, five times gentler and flattened.",
        reference="Goh, Why Momentum Really Works, 2017",
    ),
    Surface(
        name="beale",
        title="Beale's function",
        formula="(1.5 - x + x*y)**2 + (2.25 - x + x*y**2)**2 + (2.625 - x + x*y**3)**2",
        domain=((-4.5, 4.5), (-4.5, 4.5)),
        minima=((3.0, 0.5),),
        start=(1.0, 1.5),
        sentence="A flat plain between peaks at the corners whose gradients are a million times larger.",
        reference=(
            "Beale, On an Iterative Method for Finding a Local Minimum of a Function of More than One Variable, 1958"
        ),
    ),
    Surface(
        name="himmelblau",
        title="Himmelblau's function",
        formula="(x**2 + y - 11)**2 + (x + y**2 - 7)**2",
        domain=((-5, 5), (-5, 5)),
        minima=(
            (3.0, 2.0),
            (-2.805118086952745, 3.131312518250573),
            (-3.779310253377747, -3.2831859912861696),
            (3.5844283403304917, -1.8481265269644036),
        ),
        start=(0.0, 0.0),
        sentence="Four equally deep minima around a hill: the start decides where a run ends.",
        reference="Himmelblau, Applied Nonlinear Programming, 1972",
    ),
    Surface(
        name="booth",
        title="Booth's function",
        formula="(x + 2*y - 7)**2 + (2*x + y - 5)**2",
        domain=((-10, 10), (-10, 10)),
        minima=((1.0, 3.0),),
        start=(-8.0, -8.0),
        sentence="A quadratic bowl whose axes are turned by 45 degrees: no parameter has a curvature of its own.",
        reference=_SURVEY,
    ),
    Surface(
        name="matyas",
        title="Matyas's function",
        formula="0.26*(x**2 + y**2) - 0.48*x*y",
        domain=((-10, 10), (-10, 10)),
        minima=((0.0, 0.0),),
        start=(8.0, -6.0),
        sentence="A turned quadratic valley, 25 times flatter along than across.",
        reference=_SURVEY,
    ),
    Surface(
        name="mccormick",
        title="McCormick's function",
        formula="sin(x + y) + (x - y)**2 - 1.5*x + 2.5*y + 1",
        domain=((-1.5, 4), (-3, 4)),
        minima=((-0.5471975511965977, -1.5471975511965979),),
        value=-1.9132229549810364,
        is_bounded=False,
        start=(3.0, 3.0),
        sentence="A sine along a trough. Outside its domain it goes deeper: the trough descends in waves.",
        reference=_SURVEY,
    ),
    Surface(
        name="branin",
        title="Branin's function",
        formula="(y - 5.1*x**2/(4*pi**2) + 5*x/pi - 6)**2 + 10*(1 - 1/(8*pi))*cos(x) + 10",
        domain=((-5, 10), (0, 15)),
        minima=(
            (-3.141592653589793, 12.275),
            (3.141592653589793, 2.275),
            (9.42477796076938, 2.475),
        ),
        value=0.3978873577297383,
        start=(2.5, 12.5),
        sentence="Three equally deep minima in a curved trough.",
        reference=(
            "Branin, Widely Convergent Method for Finding Multiple Solutions of Simultaneous Nonlinear Equations, 1972"
        ),
    ),
    Surface(
        name="three_hump_camel",
        title="Three-hump camel",
        formula="2*x**2 - 1.05*x**4 + x**6/6 + x*y + y**2",
        domain=((-5, 5), (-5, 5)),
        minima=((0.0, 0.0),),
        start=(-3.0, 3.0),
        sentence="One deep minimum between two shallow ones that catch what comes from outside.",
        reference=_SURVEY,
        local_minima=(
            ((-1.7475523458302888, 0.8737761729151444), 0.2986384422368598),
            ((1.7475523458302888, -0.8737761729151444), 0.2986384422368598),
        ),
    ),
    Surface(
        name="six_hump_camel",
        title="Six-hump camel",
        formula="(4 - 2.1*x**2 + x**4/3)*x**2 + x*y + (4*y**2 - 4)*y**2",
        domain=((-3, 3), (-2, 2)),
        minima=(
            (0.08984201310031806, -0.7126564030207396),
            (-0.08984201310031806, 0.7126564030207396),
        ),
        value=-1.0316284534898774,
        start=(2.0, 1.0),
        sentence="Six minima in three pairs, two of them the deepest.",
        reference="Dixon and Szegö, The Global Optimization Problem: An Introduction, 1978",
    ),
    Surface(
        name="styblinski_tang",
        title="Styblinski and Tang's function",
        formula="(x**4 - 16*x**2 + 5*x + y**4 - 16*y**2 + 5*y)/2",
        domain=((-5, 5), (-5, 5)),
        minima=((-2.903534027771177, -2.903534027771177),),
        value=-78.33233140754282,
        start=(0.5, 0.5),
        sentence="Two wells in each direction, four in all, of which one is the deepest.",
        reference=(
            "Styblinski and Tang, Experiments in Nonconvex Optimization: Stochastic Approximation with Function "
            "Smoothing and Simulated Annealing, 1990"
        ),
    ),
    Surface(
        name="rastrigin",
        title="Rastrigin's function",
        formula="20 + x**2 - 10*cos(2*pi*x) + y**2 - 10*cos(2*pi*y)",
        domain=((-5.12, 5.12), (-5.12, 5.12)),
        minima=((0.0, 0.0),),
        start=(-2.0, 3.5),
        sentence="A bowl full of dents, about a hundred minima on a grid.",
        reference="Rastrigin, Systems of Extremal Control, 1974",
    ),
    Surface(
        name="ackley",
        title="Ackley's function",
        formula="-20*exp(-0.2*sqrt((x**2 + y**2)/2)) - exp((cos(2*pi*x) + cos(2*pi*y))/2) + 20 + e",
        domain=((-5, 5), (-5, 5)),
        minima=((0.0, 0.0),),
        start=(3.0, -4.0),
        sentence="A dented plain around a funnel. Its lowest point is the tip of a cone, where no gradient exists.",
        reference="Ackley, A Connectionist Machine for Genetic Hillclimbing, 1987",
    ),
    Surface(
        name="levy",
        title="Levy's function",
        formula=(
            "sin(pi*(1 + (x - 1)/4))**2 + ((x - 1)/4)**2*(1 + 10*sin(pi*(1 + (x - 1)/4) + 1)**2)"
            " + ((y - 1)/4)**2*(1 + sin(2*pi*(1 + (y - 1)/4))**2)"
        ),
        domain=((-10, 10), (-10, 10)),
        minima=((1.0, 1.0),),
        start=(-7.0, 6.0),
        sentence="Waves across a valley, higher the farther from its middle.",
        reference=(
            "Laguna and Martí, Experimental Testing of Advanced Scatter Search Designs for Global Optimization of "
            "Multimodal Functions, 2005"
        ),
    ),
    Surface(
        name="goldstein_price",
        title="Goldstein and Price's function",
        formula=(
            "(1 + (x + y + 1)**2*(19 - 14*x + 3*x**2 - 14*y + 6*x*y + 3*y**2))"
            "*(30 + (2*x - 3*y)**2*(18 - 32*x + 12*x**2 + 48*y - 36*x*y + 27*y**2))"
        ),
        domain=((-2, 2), (-2, 2)),
        minima=((0.0, -1.0),),
        value=3.0,
        start=(-1.0, 1.0),
        sentence="From 3 at the minimum to a million at the corners: no one rate suits both.",
        reference="Goldstein and Price, On Descent from Local Minima, 1971",
    ),
    Surface(
        name="easom",
        title="Easom's function",
        formula="-cos(x)*cos(y)*exp(-(x - pi)**2 - (y - pi)**2)",
        domain=((0, 6), (0, 6)),
        minima=((3.141592653589793, 3.141592653589793),),
        value=-1.0,
        start=(2.0, 2.0),
        sentence="A hole in a plain: away from it the gradient all but vanishes.",
        reference="Easom, A Survey of Global Optimization Techniques, 1990",
    ),
)

SURFACES: dict[str, Surface] = {surface.name: surface for surface in (*SHAPES, *CLASSICS)}
