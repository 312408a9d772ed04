using System.Diagnostics.Metrics;

namespace Platform.Api.Events;

/// <summary>The instruments of the outbox, in the meter <c>Platform.Api</c>.</summary>
internal sealed class OutboxMetrics
{
    /// <summary>The meter's name.</summary>
    public const string MeterName = "Platform.Api";

    public OutboxMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(MeterName);
        Delivered = meter.CreateCounter<long>(
            "platform.outbox.delivered", "{entry}", "Entries that were left behind in the outbox and then delivered.");
        Failed = meter.CreateCounter<long>(
            "platform.outbox.failed",
            "{attempt}",
            "Attempts to deliver an entry that was left behind, and that failed.");
        SetAside = meter.CreateCounter<long>(
            "platform.outbox.set_aside", "{entry}", "Entries that were set aside after the last attempt.");
    }

    public Counter<long> Delivered { get; }

    public Counter<long> Failed { get; }

    public Counter<long> SetAside { get; }
}
