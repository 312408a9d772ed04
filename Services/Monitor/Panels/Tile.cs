namespace Platform.Monitor.Panels;

/// <summary>One number of the overview, and when it is a reason to look.</summary>
/// <param name="Id">What it is called in addresses.</param>
/// <param name="Title">What it is.</param>
/// <param name="Unit">In which unit.</param>
/// <param name="Expression">PromQL with one value; none where there is nothing.</param>
/// <param name="Warning">From where on it is a reason to look; null: never.</param>
/// <param name="Critical">From where on it is a reason to look at once; null: never.</param>
/// <param name="WhenEmpty">What stands there when there is nothing.</param>
/// <param name="LowIsBad">Whether it is a reason below these and not above.</param>
internal sealed record Tile(
    string Id, string Title, PanelUnit Unit, string Expression, double? Warning = null, double? Critical = null, string WhenEmpty = "–",
    bool LowIsBad = false)
{
    /// <summary>What a value means.</summary>
    public TileState Judge(double value) =>
        IsBeyond(value, Critical) ? TileState.Critical : IsBeyond(value, Warning) ? TileState.Warning : TileState.Well;

    private bool IsBeyond(double value, double? limit) => limit is { } bound && (LowIsBad ? value <= bound : value >= bound);
}

/// <summary>What a tile's value means.</summary>
internal enum TileState
{
    /// <summary>Nobody knows.</summary>
    Unknown,

    /// <summary>All is well.</summary>
    Well,

    /// <summary>A reason to look.</summary>
    Warning,

    /// <summary>A reason to look at once.</summary>
    Critical,
}
