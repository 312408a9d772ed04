using System.ComponentModel.DataAnnotations;
using Cronos;
using Microsoft.Extensions.Options;

namespace Platform.Backup.Policy;

/// <summary>Settings under <c>Backup</c>; checked at start.</summary>
internal sealed class BackupOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = SettingNames.Backup;

    /// <summary>The shortest pass phrase.</summary>
    public const int MinPassPhraseLength = 20;

    /// <summary>What is backed up: <c>documentdb</c>. The other engines are refused with a sentence.</summary>
    public string Engine { get; set; } = "documentdb";

    /// <summary>
    /// The directory of the backups, a full path, which only the user may enter: the encrypted repository and what the agent knows of it. Best on
    /// another disk than the data.
    /// </summary>
    public string Directory { get; set; } = "";

    /// <summary>
    /// The pass phrase that the repository is encrypted with, for as long as there is the repository: without it the backups cannot be read by anybody.
    /// </summary>
    public string PassPhrase { get; set; } = "";

    /// <summary>When a full backup is due, as a cron expression of five fields. Default: at 02:00 each day.</summary>
    public string Schedule { get; set; } = "0 2 * * *";

    /// <summary>When the whole repository is verified, as a cron expression of five fields. Default: at 03:30 each Sunday.</summary>
    public string VerifySchedule { get; set; } = "30 3 * * 0";

    /// <summary>When a restore is tried, as a cron expression of five fields. Default: at 04:30 each Sunday.</summary>
    public string DrillSchedule { get; set; } = "30 4 * * 0";

    /// <summary>The time zone of the schedules, by its IANA name. Default: <c>UTC</c>.</summary>
    public string TimeZone { get; set; } = "UTC";

    /// <summary>Of how many days with backups the newest is kept. Default 30.</summary>
    [Range(1, 10_000)]
    public int KeepDaily { get; set; } = 30;

    /// <summary>Of how many months with backups the newest is kept. Default 12.</summary>
    [Range(0, 10_000)]
    public int KeepMonthly { get; set; } = 12;

    /// <summary>How far back every moment can be restored. Default 7 days.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "366.00:00:00")]
    public TimeSpan Window { get; set; } = TimeSpan.FromDays(7);

    /// <summary>From which age of the newest proven backup on the agent is unhealthy. Default 26 hours: a day, and time to make one.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "366.00:00:00")]
    public TimeSpan MaxAge { get; set; } = TimeSpan.FromHours(26);

    /// <summary>For how long the log may wait to be archived before the agent is unhealthy. Default 5 minutes.</summary>
    [Range(typeof(TimeSpan), "00:00:10", "1.00:00:00")]
    public TimeSpan MaxArchiveLag { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>How often the agent looks whether a backup is due, and how the archive stands. Default 10 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.050", "00:10:00")]
    public TimeSpan Interval { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long the agent waits after a backup that failed. Default 5 minutes.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan RetryDelay { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>A bucket that has a copy of the repository.</summary>
    public S3Options S3 { get; } = new();

    /// <summary>The data directories of the servers of the replica set, in the order of their numbers: the primary among them is copied.</summary>
    public IList<string> Members { get; } = [];

    /// <summary>Where the Unix sockets of all of them are.</summary>
    public string SocketDirectory { get; set; } = "";

    /// <summary>The root file system with PostgreSQL and pgBackRest.</summary>
    public string ServerImage { get; set; } = "";

    /// <summary>The directory of the scripts that run them.</summary>
    public string NativeScripts { get; set; } = "";

    /// <summary>The password of the API's user, as whom a drill logs in to a copy; without it none does.</summary>
    public string? ApiPassword { get; set; }

    /// <summary>A file that has it, and wins over it: as it is when the drill logs in, also after the password was replaced.</summary>
    public string? ApiPasswordFile { get; set; }

    /// <summary>The program that lets MongoDB's clients read a copy.</summary>
    public string GatewayProgram { get; set; } = "";

    /// <summary>The settings as a policy; they must have been checked.</summary>
    public BackupPolicy ToPolicy() => new(CronExpression.Parse(Schedule), TimeZoneInfo.FindSystemTimeZoneById(TimeZone), KeepDaily, KeepMonthly, Window);

    /// <summary>The same settings for another directory of backups.</summary>
    public BackupOptions In(string directory)
    {
        var copy = (BackupOptions)MemberwiseClone();
        copy.Directory = directory;
        return copy;
    }

    /// <summary>Whether the whole repository is to be verified; the settings must have been checked.</summary>
    /// <param name="last">When it was last, or when there was something to verify first; null when there is nothing.</param>
    /// <param name="now">The time.</param>
    public bool IsVerificationDue(DateTimeOffset? last, DateTimeOffset now) => last is { } since
        && CronExpression.Parse(VerifySchedule).GetNextOccurrence(since, TimeZoneInfo.FindSystemTimeZoneById(TimeZone)) <= now;

    /// <summary>When a restore is to be tried; the settings must have been checked.</summary>
    /// <param name="last">When it was last, or when there was something to restore first.</param>
    public DateTimeOffset? NextDrill(DateTimeOffset last) =>
        CronExpression.Parse(DrillSchedule).GetNextOccurrence(last, TimeZoneInfo.FindSystemTimeZoneById(TimeZone));
}

/// <summary>One sentence per wrong setting, naming its key.</summary>
internal sealed class BackupOptionsValidation : IValidateOptions<BackupOptions>
{
    /// <inheritdoc />
    public ValidateOptionsResult Validate(string? name, BackupOptions options)
    {
        var failures = SettingLimits.Mistakes(BackupOptions.Section, options).ToList();
        if (options.Engine != "documentdb")
        {
            failures.Add(options.Engine switch
            {
                "mongod" or "containers" => $"Backup:Engine is {options.Engine}, whose backups (Percona Backup for MongoDB) are not supported yet.",
                "atlas" or "external" => $"Backup:Engine is {options.Engine}, whose backups (those of Atlas, or of who runs it) are not supported yet.",
                _ => $"Backup:Engine is {(options.Engine.Length == 0 ? "empty" : options.Engine)}, but only documentdb is supported.",
            });
        }

        failures.AddRange(options.S3.Mistakes());
        Check(CronExpression.TryParse(options.Schedule, out _), nameof(options.Schedule), $"'{options.Schedule}'", "a cron expression of five fields");
        Check(
            CronExpression.TryParse(options.VerifySchedule, out _), nameof(options.VerifySchedule), $"'{options.VerifySchedule}'",
            "a cron expression of five fields");
        Check(
            CronExpression.TryParse(options.DrillSchedule, out _), nameof(options.DrillSchedule), $"'{options.DrillSchedule}'",
            "a cron expression of five fields");
        Check(
            TimeZoneInfo.TryFindSystemTimeZoneById(options.TimeZone, out _), nameof(options.TimeZone), $"'{options.TimeZone}'",
            "the IANA name of a time zone, such as Europe/Berlin");
        Check(Path.IsPathFullyQualified(options.Directory), nameof(options.Directory), $"'{options.Directory}'", "a full path");
        Check(
            options.PassPhrase.Length >= BackupOptions.MinPassPhraseLength && !options.PassPhrase.Any(char.IsControl),
            nameof(options.PassPhrase), "too short, or has control characters", $"of at least {BackupOptions.MinPassPhraseLength} characters");
        Check(System.IO.Directory.Exists(options.ServerImage), nameof(options.ServerImage), $"'{options.ServerImage}'", "a directory that exists");
        Check(System.IO.Directory.Exists(options.NativeScripts), nameof(options.NativeScripts), $"'{options.NativeScripts}'", "a directory that exists");
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);

        void Check(bool holds, string key, string value, string rule)
        {
            if (!holds)
            {
                failures.Add($"{BackupOptions.Section}:{key} is {value}, but must be {rule}.");
            }
        }
    }
}
