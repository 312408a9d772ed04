using System.Collections.Concurrent;
using Microsoft.Extensions.Options;
using Platform.Monitor.Prometheus;
using Platform.Monitor.Settings;

namespace Platform.Monitor.Panels;

/// <summary>
/// What charts and tiles show. Many who look at once are one question to Prometheus; nobody asks what is not in <see cref="PanelCatalogue"/>.
/// </summary>
internal sealed class PanelReader(IOptions<MonitorOptions> options, TimeProvider time) : IDisposable
{
    /// <summary>Most lines of a chart: more cannot be told apart.</summary>
    public const int MaxLines = 12;

    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_fresh = TimeSpan.FromSeconds(2);

    private readonly PrometheusClient _prometheus = new(options.Value.Prometheus, s_timeout);
    private readonly ConcurrentDictionary<string, (DateTimeOffset Until, Task<object> Answer)> _answers = new(StringComparer.Ordinal);
    private readonly TimeSpan _interval = options.Value.Interval;

    /// <summary>The time ranges of charts, by their names in addresses.</summary>
    public static IReadOnlyDictionary<string, TimeSpan> Ranges { get; } = new Dictionary<string, TimeSpan>(StringComparer.Ordinal)
    {
        ["15m"] = TimeSpan.FromMinutes(15), ["1h"] = TimeSpan.FromHours(1), ["6h"] = TimeSpan.FromHours(6), ["24h"] = TimeSpan.FromHours(24),
        ["7d"] = TimeSpan.FromDays(7),
    };

    /// <summary>The charts of a section.</summary>
    /// <param name="section">The section.</param>
    /// <param name="range">One of <see cref="Ranges"/>.</param>
    /// <exception cref="PrometheusException">Prometheus does not answer, or refuses.</exception>
    public async Task<SectionAnswer> SectionAsync(PanelSection section, string range) =>
        (SectionAnswer)await SharedAsync($"{section.Id} {range}", async () => await AskAsync(section, Ranges[range]));

    /// <summary>The tiles.</summary>
    /// <exception cref="PrometheusException">Prometheus does not answer, or refuses.</exception>
    public async Task<IReadOnlyList<TileAnswer>> TilesAsync() => (IReadOnlyList<TileAnswer>)await SharedAsync("tiles", async () =>
        await Task.WhenAll(PanelCatalogue.Tiles.Select(async tile =>
        {
            var series = await _prometheus.NowAsync(Windowed(tile.Expression, 0), CancellationToken.None);
            return series is [{ Values: [var point] }]
                ? new TileAnswer(tile, point.Value, tile.Judge(point.Value))
                : new TileAnswer(tile, null, TileState.Unknown);
        })));

    /// <inheritdoc/>
    public void Dispose() => _prometheus.Dispose();

    /// <summary>Puts values on the points of a grid: null where there is none.</summary>
    internal static double?[] Align(TimeSeries series, TimeGrid times)
    {
        var aligned = new double?[times.Count];
        foreach (var (at, value) in series.Values)
        {
            var (index, rest) = Math.DivRem(at - times.Start, times.Step);
            if (rest == 0 && index >= 0 && index < aligned.Length)
            {
                aligned[index] = value;
            }
        }

        return aligned;
    }

    /// <summary>The name of a line.</summary>
    internal static string NameOf(string legend, IReadOnlyDictionary<string, string> labels) =>
        Printable.Of(labels.Aggregate(legend, (text, label) => text.Replace($"{{{{{label.Key}}}}}", label.Value, StringComparison.Ordinal)), 100);

    private async Task<SectionAnswer> AskAsync(PanelSection section, TimeSpan range)
    {
        var times = TimeGrid.Of(range, _interval, time.GetUtcNow());
        var panels = await Task.WhenAll(section.Panels.Select(async panel =>
        {
            var found = await Task.WhenAll(panel.Queries.Select(async query =>
            {
                var lines = await _prometheus.RangeAsync(Windowed(query.Expression, times.Step), times, CancellationToken.None);
                return lines.Select(series => new Line(NameOf(query.Legend, series.Labels), Align(series, times)));
            }));
            var all = found.SelectMany(lines => lines).ToList();
            return new PanelAnswer(panel.Id, panel.Title, panel.Unit, [.. all.Take(MaxLines)], Math.Max(0, all.Count - MaxLines));
        }));
        return new(section.Id, section.Title, times.Points(), panels);
    }

    private string Windowed(string expression, long step) =>
        expression.Replace(PanelCatalogue.Window, $"{Math.Max(step, (long)Math.Ceiling(_interval.TotalSeconds * 4))}s", StringComparison.Ordinal);

    private Task<object> SharedAsync(string name, Func<Task<object>> ask)
    {
        var now = time.GetUtcNow();
        return _answers.AddOrUpdate(
            name,
            _ => (now + s_fresh, ask()),
            // One that failed is asked again by the next who wants it.
            (_, known) => known.Until > now && !known.Answer.IsFaulted ? known : (now + s_fresh, ask())).Answer;
    }
}

/// <summary>The charts of a section.</summary>
/// <param name="Id">The section.</param>
/// <param name="Title">What it is about.</param>
/// <param name="Times">The points of time, in seconds since 1970.</param>
/// <param name="Panels">The charts.</param>
internal sealed record SectionAnswer(string Id, string Title, long[] Times, IReadOnlyList<PanelAnswer> Panels);

/// <summary>A chart.</summary>
/// <param name="Id">The panel.</param>
/// <param name="Title">What it shows.</param>
/// <param name="Unit">In which unit.</param>
/// <param name="Lines">The lines.</param>
/// <param name="More">How many further lines there are, which are not shown.</param>
internal sealed record PanelAnswer(string Id, string Title, PanelUnit Unit, IReadOnlyList<Line> Lines, int More);

/// <summary>A line of a chart.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Values">A value for each point of time; null where there is none.</param>
internal sealed record Line(string Name, double?[] Values);

/// <summary>A number of the overview.</summary>
/// <param name="Tile">What it is.</param>
/// <param name="Value">The value; null: there is none.</param>
/// <param name="State">What it means.</param>
internal sealed record TileAnswer(Tile Tile, double? Value, TileState State);
