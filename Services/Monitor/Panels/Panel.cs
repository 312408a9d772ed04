namespace Platform.Monitor.Panels;

/// <summary>A chart: of the monitor's page, and of Grafana's dashboard.</summary>
/// <param name="Id">What it is called in addresses.</param>
/// <param name="Title">What it shows.</param>
/// <param name="Unit">In which unit.</param>
/// <param name="Queries">What is asked of Prometheus for it.</param>
internal sealed record Panel(string Id, string Title, PanelUnit Unit, params IReadOnlyList<PanelQuery> Queries);

/// <summary>Lines of a chart.</summary>
/// <param name="Expression">PromQL, in which <see cref="PanelCatalogue.Window"/> stands for the time over which rates are taken.</param>
/// <param name="Legend">The name of a line, with labels as <c>{{member}}</c>.</param>
internal sealed record PanelQuery(string Expression, string Legend);

/// <summary>Charts that belong together.</summary>
/// <param name="Id">What they are called in addresses.</param>
/// <param name="Title">What they are about.</param>
/// <param name="Panels">The charts.</param>
internal sealed record PanelSection(string Id, string Title, params IReadOnlyList<Panel> Panels);

/// <summary>The unit of a value.</summary>
internal enum PanelUnit
{
    /// <summary>A number of things.</summary>
    Number,

    /// <summary>A number of things each second.</summary>
    PerSecond,

    /// <summary>A part of a whole, from 0 to 1.</summary>
    Share,

    /// <summary>Seconds.</summary>
    Seconds,

    /// <summary>Bytes.</summary>
    Bytes,
}
