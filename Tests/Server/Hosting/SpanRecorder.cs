using System.Diagnostics;
using OpenTelemetry;

namespace Platform.Tests.Server.Hosting;

/// <summary>Keeps the spans that ended.</summary>
internal sealed class SpanRecorder(List<Activity> spans) : BaseProcessor<Activity>
{
    public override void OnEnd(Activity data)
    {
        lock (spans)
        {
            spans.Add(data);
        }
    }
}
