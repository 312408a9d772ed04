using System.Globalization;
using System.Text;

namespace Platform.Benchmarks;

/// <summary>Draws connections over time as an SVG picture that needs nothing else.</summary>
internal static class SpikePlot
{
    private const int Width = 760;
    private const int Height = 400;
    private const int Left = 60;
    private const int Right = 20;
    private const int Top = 90;
    private const int Bottom = 50;
    private static readonly string[] s_colours = ["#c2255c", "#5b3fd6", "#1f8a70", "#d9822b"];
    private static readonly string[] s_dashes = ["", "9 4", "5 3", "2 3"];

    /// <summary>The picture of some runs over the time that was watched.</summary>
    public static string Draw(IReadOnlyList<SpikeRun> runs, TimeSpan watched)
    {
        var most = Math.Max(10, (runs.Max(run => run.Most) / 5 + 1) * 5);
        var svg = new StringBuilder();
        svg.Append(
            CultureInfo.InvariantCulture,
            $"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Width} {Height}\" font-family=\"sans-serif\" font-size=\"12\">\n");
        svg.Append(
            CultureInfo.InvariantCulture,
            $"<title>Connections over time when fifty callers come at once</title>\n<rect width=\"{Width}\" height=\"{Height}\" fill=\"white\"/>\n");

        for (var connections = 0; connections <= most; connections += 5)
        {
            svg.Append(CultureInfo.InvariantCulture, $"<path d=\"M{Left} {Y(connections):0.#}H{Width - Right}\" stroke=\"#e3e3e3\"/>\n");
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Left - 8}\" y=\"{Y(connections) + 4:0.#}\" text-anchor=\"end\">{connections}</text>\n");
        }

        for (var time = 0; time <= watched.TotalMilliseconds; time += 100)
        {
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{X(time):0.#}\" y=\"{Height - Bottom + 18}\" text-anchor=\"middle\">{time}</text>\n");
        }

        svg.Append(
            CultureInfo.InvariantCulture,
            $"<text x=\"{(Left + Width - Right) / 2}\" y=\"{Height - 12}\" text-anchor=\"middle\">milliseconds since the spike</text>\n");
        svg.Append(CultureInfo.InvariantCulture, $"<text transform=\"translate(16 {(Top + Height - Bottom) / 2}) rotate(-90)\" "
            + $"text-anchor=\"middle\">connections, those being opened included</text>\n");

        for (var i = 0; i < runs.Count; i++)
        {
            var run = runs[i];
            var path = new StringBuilder();
            path.Append(CultureInfo.InvariantCulture, $"M{X(0):0.#} {Y(run.Series[0].Connections):0.#}");
            foreach (var (time, connections) in run.Series.Skip(1).Where(point => point.Time <= watched.TotalMilliseconds))
            {
                path.Append(CultureInfo.InvariantCulture, $"H{X(time):0.#}V{Y(connections):0.#}");
            }

            path.Append(CultureInfo.InvariantCulture, $"H{Width - Right}");
            svg.Append(
                CultureInfo.InvariantCulture,
                $"<path d=\"{path}\" fill=\"none\" stroke=\"{s_colours[i]}\" stroke-width=\"2.5\" stroke-dasharray=\"{s_dashes[i]}\"/>\n");
            // A mark where the last caller was served.
            svg.Append(
                CultureInfo.InvariantCulture, $"<circle cx=\"{X(run.Served):0.#}\" cy=\"{Y(At(run, run.Served)):0.#}\" r=\"5\" fill=\"{s_colours[i]}\"/>\n");
            var y = 18 + (i * 17);
            svg.Append(
                CultureInfo.InvariantCulture,
                $"<path d=\"M{Left} {y - 4}h34\" stroke=\"{s_colours[i]}\" stroke-width=\"2.5\" stroke-dasharray=\"{s_dashes[i]}\"/>\n");
            svg.Append(
                CultureInfo.InvariantCulture,
                $"<text x=\"{Left + 42}\" y=\"{y}\">{run.Driver}: {run.Most} at most; all fifty served after {run.Served:0} ms (dot)</text>\n");
        }

        return svg.Append("</svg>\n").ToString();

        double X(double time) => Left + (time / watched.TotalMilliseconds * (Width - Left - Right));

        double Y(double connections) => Height - Bottom - (connections / most * (Height - Top - Bottom));
    }

    private static int At(SpikeRun run, double time) => run.Series.Last(point => point.Time <= time).Connections;
}
