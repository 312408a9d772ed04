using System.Diagnostics;
using Microsoft.Extensions.Hosting;

namespace Aspire.Hosting;

/// <summary>
/// Lets a test change an app host while its <c>Main</c> runs: events of the diagnostic listener <c>Aspire.Hosting</c>, written on
/// the thread that builds. A subscriber may block in <see cref="Building"/> to hold the program back.
/// </summary>
internal static class BuilderDiagnostics
{
    public const string ListenerName = "Aspire.Hosting";

    /// <summary>Payload: <see cref="BuilderConstructing"/>. Options may be changed.</summary>
    public const string Constructing = "DistributedApplicationBuilderConstructing";

    /// <summary>Payload: the <see cref="DistributedApplicationBuilder"/>.</summary>
    public const string Constructed = "DistributedApplicationBuilderConstructed";

    /// <summary>Payload: the <see cref="DistributedApplicationBuilder"/>, at the start of <c>Build()</c>.</summary>
    public const string Building = "DistributedApplicationBuilding";

    /// <summary>Payload: the <see cref="DistributedApplication"/>, at the end of <c>Build()</c>.</summary>
    public const string Built = "DistributedApplicationBuilt";

    public static readonly DiagnosticListener Listener = new(ListenerName);

    public sealed record BuilderConstructing(DistributedApplicationOptions Options, HostApplicationBuilderSettings HostOptions);

    public static void Write(string name, object payload)
    {
        if (Listener.IsEnabled(name))
        {
            Listener.Write(name, payload);
        }
    }
}
