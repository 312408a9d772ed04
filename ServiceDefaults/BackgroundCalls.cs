using System.Diagnostics;
using OpenTelemetry;

namespace Platform.ServiceDefaults;

/// <summary>
/// Leaves out the spans of calls that no request and no job made: a change stream asks for events for as long as the process lives, the cache looks whether its
/// server is there. Each would be a trace of its own, and hide those of the requests. What such calls take is in the metrics.
/// </summary>
internal sealed class BackgroundCalls : BaseProcessor<Activity>
{
    /// <inheritdoc />
    public override void OnEnd(Activity data)
    {
        ArgumentNullException.ThrowIfNull(data);
        if (data.Kind == ActivityKind.Client && data.ParentId is null)
        {
            // Exporters take what is recorded.
            data.ActivityTraceFlags &= ~ActivityTraceFlags.Recorded;
        }
    }
}
