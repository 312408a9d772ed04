namespace Platform.Monitor.Collectors;

/// <summary>What the API promises, over thirty days. <see href="https://sre.google/workbook/alerting-on-slos/"/></summary>
internal static class ServiceObjective
{
    /// <summary>The share of requests that may fail by the API's own fault.</summary>
    public const double Errors = 0.001;

    /// <summary>The share of requests that may take longer than <see cref="Latency"/>.</summary>
    public const double Slow = 0.01;

    /// <summary>How long a request may take, in seconds: one of the bounds of the histogram.</summary>
    public const string Latency = "0.5";
}
