using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;
using Platform.Monitoring;

namespace Platform.Monitor.Settings;

/// <summary>Settings under <c>Monitor</c>; checked at start.</summary>
internal sealed class MonitorOptions : ChannelSettings
{
    /// <summary>The configuration section.</summary>
    public const string Section = SettingNames.Monitor;

    /// <summary>The shortest <see cref="HeartbeatKey"/>, and <see cref="PagePassword"/>.</summary>
    public const int MinKeyLength = 16;

    /// <summary>The URL of Prometheus, with a login where it wants one; empty: there is none.</summary>
    public string Prometheus { get; set; } = "";

    /// <summary>The URL of Alertmanager, with a login where it wants one; empty: there is none.</summary>
    public string Alertmanager { get; set; } = "";

    /// <summary>What Alertmanager shows when it brings the heartbeat, 16 characters at least; empty: none is taken.</summary>
    public string HeartbeatKey { get; set; } = "";

    /// <summary>The password of the page's only user, <c>platform</c>, 16 characters at least; empty: there is no page.</summary>
    public string PagePassword { get; set; } = "";

    /// <summary>How often servers are asked. Default: 15 s.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:05:00")]
    public TimeSpan Interval { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>Whether the profiler of a member is turned on where it is off, so that slow operations are known. Default: true.</summary>
    public bool Profiler { get; set; } = true;

    /// <summary>How often it is asked whether Prometheus evaluates the rules. Default: 5 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "00:02:00")]
    public TimeSpan Probe { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long there is no heartbeat until monitoring counts as silent. Default: 60 s.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan Silence { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>The directories whose disks are watched, by a name for each.</summary>
    public IDictionary<string, string> Directories { get; } = new Dictionary<string, string>(StringComparer.Ordinal);
}

/// <summary>Finds what a limit cannot say.</summary>
internal sealed class MonitorOptionsValidation : IValidateOptions<MonitorOptions>
{
    /// <inheritdoc/>
    public ValidateOptionsResult Validate(string? name, MonitorOptions options)
    {
        List<string> mistakes = [.. options.Problems()];
        foreach (var (key, url) in ((string, string)[])[("Prometheus", options.Prometheus), ("Alertmanager", options.Alertmanager)])
        {
            if (url.Length > 0 && !ServerUrl.IsValid(url))
            {
                mistakes.Add($"Monitor:{key} must be a URL such as http://user:password@127.0.0.1:9090.");
            }
        }

        foreach (var (key, secret) in ((string, string)[])[("HeartbeatKey", options.HeartbeatKey), ("PagePassword", options.PagePassword)])
        {
            if (secret.Length is > 0 and < MonitorOptions.MinKeyLength)
            {
                mistakes.Add($"Monitor:{key} must have {MonitorOptions.MinKeyLength} characters or more.");
            }
        }

        if (options.Silence < options.Probe * 2)
        {
            mistakes.Add("Monitor:Silence must be twice Monitor:Probe or more.");
        }

        return mistakes.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(mistakes);
    }
}
