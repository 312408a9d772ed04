namespace Platform.Benchmarks;

/// <summary>What one driver did in the spike.</summary>
/// <param name="Driver">Its name.</param>
/// <param name="Served">Milliseconds until the last caller was served.</param>
/// <param name="Slowest">Milliseconds that the callers took, each.</param>
/// <param name="Series">Milliseconds since the spike and open connections (those being opened included), at each change.</param>
internal sealed record SpikeRun(string Driver, double Served, IReadOnlyList<double> Slowest, IReadOnlyList<(double Time, int Connections)> Series)
{
    /// <summary>The most connections at once.</summary>
    public int Most => Series.Max(point => point.Connections);
}
