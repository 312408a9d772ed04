using System.Globalization;
using System.Net;
using System.Text;

namespace Platform.Migrator.Sharding.Simulation;

/// <summary>Draws a simulation: two bars for each shard, what it had and what it has. Fits light and dark pages.</summary>
internal static class SimulationSvg
{
    private const int Width = 880;
    private const int Left = 150;
    private const int Right = 90;
    private const int Bar = 11;
    private const int Gap = 10;

    /// <summary>The picture.</summary>
    public static string Of(SimulationReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        var lines = report.Happened.Append(SimulationText.Sum(report)).ToList();
        var head = 56 + (lines.Count * 18) + 34;
        var row = (2 * Bar) + Gap;
        var height = head + (report.Shards.Count * row) + 30;
        var most = Math.Max(1e-9, report.Shards.Max(shard => Math.Max(shard.BeforeMegabytes, shard.AfterMegabytes)));
        var step = Step(most / 5);
        var scale = (Width - Left - Right) / most;
        var title = string.Create(
            CultureInfo.InvariantCulture, $"{report.Tenants:N0} tenants, {SimulationText.Megabytes(report.Megabytes)} on {report.Shards.Count} shards");
        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture, $"""
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {Width} {height}" width="{Width}" height="{height}" role="img" aria-labelledby="title">
            <title id="title">Data of each shard before and after</title>
            <style>
              svg {"{"} font: 13px system-ui, sans-serif; --page: #ffffff; --text: #1f2328; --faint: #656d76; --line: #d8dee4; --before: #9aa4af; --after: #0969da; {"}"}
              @media (prefers-color-scheme: dark) {"{"}
                svg {"{"} --page: #0d1117; --text: #e6edf3; --faint: #9198a1; --line: #30363d; --before: #6e7781; --after: #58a6ff; {"}"}
              {"}"}
              .page {"{"} fill: var(--page); {"}"} text {"{"} fill: var(--text); {"}"} .title {"{"} font-size: 18px; font-weight: 600; {"}"}
              .faint {"{"} fill: var(--faint); font-size: 11px; {"}"} .line {"{"} stroke: var(--line); {"}"}
              .before {"{"} fill: var(--before); {"}"} .after {"{"} fill: var(--after); {"}"}
            </style>
            <rect class="page" width="{Width}" height="{height}"/>
            <text class="title" x="16" y="30">{Text(title)}</text>

            """);
        for (var i = 0; i < lines.Count; i++)
        {
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"16\" y=\"{54 + (i * 18)}\">{Text(lines[i])}</text>\n");
        }

        var legend = head - 38;
        svg.Append(CultureInfo.InvariantCulture, $"""
            <rect class="before" x="{Left}" y="{legend}" width="{Bar}" height="{Bar}"/><text x="{Left + 18}" y="{legend + 10}">before</text>
            <rect class="after" x="{Left + 90}" y="{legend}" width="{Bar}" height="{Bar}"/><text x="{Left + 108}" y="{legend + 10}">after</text>

            """);
        for (var mark = 0.0; mark <= most; mark += step)
        {
            var x = Left + (mark * scale);
            svg.Append(CultureInfo.InvariantCulture, $"""
                <line class="line" x1="{x:0.0}" y1="{head - 6}" x2="{x:0.0}" y2="{height - 24}"/>
                <text class="faint" x="{x:0.0}" y="{height - 9}" text-anchor="middle">{Text(SimulationText.Megabytes(mark))}</text>

                """);
        }

        for (var i = 0; i < report.Shards.Count; i++)
        {
            var shard = report.Shards[i];
            var y = head + (i * row);
            var name = string.Join(' ', new[] { shard.Shard, shard.Region, shard.State }.Where(word => !string.IsNullOrEmpty(word)));
            svg.Append(CultureInfo.InvariantCulture, $"""
                <text x="{Left - 10}" y="{y + Bar + 4}" text-anchor="end">{Text(name)}</text>
                <rect class="before" x="{Left}" y="{y}" width="{shard.BeforeMegabytes * scale:0.0}" height="{Bar}"/>
                <rect class="after" x="{Left}" y="{y + Bar}" width="{shard.AfterMegabytes * scale:0.0}" height="{Bar}"/>
                <text class="faint" x="{Left + (shard.AfterMegabytes * scale) + 6:0.0}" y="{y + (2 * Bar) - 1}">{Text(SimulationText.Megabytes(shard.AfterMegabytes))}</text>

                """);
        }

        return svg.Append("</svg>\n").ToString();
    }

    private static string Text(string text) => WebUtility.HtmlEncode(text);

    // 1, 2 or 5 times a power of ten.
    private static double Step(double about)
    {
        var power = Math.Pow(10, Math.Floor(Math.Log10(about)));
        return power * ((about / power) switch { <= 1 => 1, <= 2 => 2, <= 5 => 5, _ => 10 });
    }
}
