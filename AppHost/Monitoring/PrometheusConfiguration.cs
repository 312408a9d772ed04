using System.Text.Json.Nodes;
using Platform.AppHost.Settings;

namespace Platform.AppHost.Monitoring;

/// <summary>
/// The configuration of Prometheus: JSON, which is YAML. Its files stand together in one directory, and their paths are relative to it.
/// </summary>
/// <remarks><see href="https://prometheus.io/docs/prometheus/latest/configuration/configuration/"/></remarks>
internal static class PrometheusConfiguration
{
    /// <summary>The file with the configuration.</summary>
    public const string File = "prometheus.yml";

    /// <summary>The file with the rules.</summary>
    public const string RulesFile = "rules.yml";

    /// <summary>The directory with a file of targets for each job.</summary>
    public const string TargetsDirectory = "targets";

    /// <summary>The file with what services want to see.</summary>
    public const string ScrapeKeyFile = "scrape.key";

    /// <summary>The configuration.</summary>
    /// <param name="times">The times.</param>
    /// <param name="jobs">What is scraped; each has a file of targets.</param>
    public static JsonObject Create(MonitoringTimes times, IEnumerable<ScrapeJob> jobs) => new()
    {
        ["global"] = new JsonObject
        {
            ["scrape_interval"] = MonitoringTimes.Text(times.Interval),
            ["scrape_timeout"] = MonitoringTimes.Text(times.Interval < TimeSpan.FromSeconds(10) ? times.Interval : TimeSpan.FromSeconds(10)),
            ["evaluation_interval"] = MonitoringTimes.Text(times.Interval),
        },
        ["rule_files"] = new JsonArray(RulesFile),
        ["alerting"] = new JsonObject
        {
            ["alertmanagers"] = new JsonArray(new JsonObject
            {
                ["basic_auth"] = Login(ResourceNames.Alertmanager),
                ["file_sd_configs"] = Discovery(ResourceNames.Alertmanager),
            }),
        },
        ["scrape_configs"] = new JsonArray([.. jobs.Select(Scrape)]),
    };

    /// <summary>The targets of a job, as <see cref="TargetsDirectory"/> has them.</summary>
    /// <param name="addresses">Each as <c>host:port</c>.</param>
    public static JsonArray Targets(params IEnumerable<string> addresses) =>
        new(new JsonObject { ["targets"] = new JsonArray([.. addresses.Select(address => (JsonNode)address)]) });

    /// <summary>The path of a job's file of targets.</summary>
    public static string TargetsOf(string job) => $"{TargetsDirectory}/{job}.json";

    /// <summary>The path of the file with the password of a server.</summary>
    public static string PasswordOf(string server) => $"{server}.password";

    private static JsonObject Scrape(ScrapeJob job)
    {
        var scrape = new JsonObject { ["job_name"] = job.Name, ["file_sd_configs"] = Discovery(job.Name) };
        if (job.HasLogin)
        {
            scrape["basic_auth"] = Login(job.Name);
        }
        else if (job.HasKey)
        {
            scrape["authorization"] = new JsonObject { ["credentials_file"] = ScrapeKeyFile };
        }

        return scrape;
    }

    private static JsonObject Login(string server) =>
        new() { ["username"] = MonitoringServerResource.User, ["password_file"] = PasswordOf(server) };

    private static JsonArray Discovery(string job) => new(new JsonObject { ["files"] = new JsonArray(TargetsOf(job)) });
}

/// <summary>What Prometheus scrapes.</summary>
/// <param name="Name">The label <c>job</c>, which is the name of the resource.</param>
/// <param name="HasLogin">Whether it is asked with the login of Prometheus and Alertmanager.</param>
/// <param name="HasKey">Whether it is asked with the key of services.</param>
internal sealed record ScrapeJob(string Name, bool HasLogin = false, bool HasKey = false);
