using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Backup.Engines;
using Platform.Backup.InPlace;
using Platform.Backup.Restoring;
using Platform.Data.Tenancy;
using Platform.Jobs;

namespace Platform.Backup.Commands;

/// <summary><c>backup restore</c>: a copy of the database beside the running one, and the way back from it for one tenant or one collection.</summary>
internal sealed class RestoreCommand(RestoreWork work, IBackupEngine engine, TimeProvider time, PlatformDatabase? live = null)
{
    private static readonly Option<string> s_at = new("--at")
    {
        Description = "A moment, such as 2026-11-29T20:15:00Z: everything that was committed until then.", HelpName = "MOMENT",
    };

    private static readonly Option<string> s_backup = new("--backup") { Description = "A backup, as 'list' names it.", HelpName = "LABEL" };
    private static readonly Option<bool> s_latest = new("--latest") { Description = "All that there is." };

    private static readonly Option<string> s_from = new("--from")
    {
        Description = "s3: from the copy in the bucket alone, also when there is no repository here any more.", HelpName = "s3",
    };

    private static readonly Option<bool> s_serve = new("--serve")
    {
        Description = "Keep the copy and print how it is reached, until Ctrl-C. Otherwise it is opened, counted and removed.",
    };

    private static readonly Option<string> s_tenant = new("--tenant")
    {
        Description = "With --at: report what would change if this tenant were brought back to that moment in the running database.", HelpName = "SLUG|ID",
    };

    private static readonly Option<string> s_collection = new("--collection")
    {
        Description = "With --at: report what would change if this collection were brought back to that moment in the running database.", HelpName = "NAME",
    };

    private static readonly Option<string> s_apply = new("--apply")
    {
        Description = "With --tenant or --collection: do what the report of this name says.", HelpName = "PLAN",
    };

    public static Command Create()
    {
        var command = new Command(
            "restore",
            "Restore into a copy on a server of its own; the running database is not touched. With --tenant or --collection: bring that "
                + "back in the running one.")
        {
            s_at, s_backup, s_latest, s_from, s_serve, s_tenant, s_collection, s_apply, JobCommandLine.Json,
        };
        command.Validators.Add(result =>
        {
            var targets = new[] { result.GetValue(s_at) is not null, result.GetValue(s_backup) is not null, result.GetValue(s_latest) }.Count(given => given);
            if (targets != 1)
            {
                result.AddError("restore needs one of --at MOMENT, --backup LABEL and --latest.");
            }
            else if (result.GetValue(s_at) is { } text && Moment(text) is null)
            {
                result.AddError($"'{text}' is no moment such as 2026-11-29T20:15:00Z.");
            }
            else if (result.GetValue(s_from) is { } from && from != "s3")
            {
                result.AddError($"'{from}' is nowhere to restore from: --from s3, or without it from the repository.");
            }
            else if (result.GetValue(s_from) is not null && IsInPlace(result))
            {
                result.AddError("--tenant and --collection need the repository, and go without --from s3: 'backup fetch' brings it back.");
            }
            else if (IsInPlace(result) && (result.GetValue(s_at) is null || result.GetValue(s_serve)))
            {
                result.AddError("--tenant and --collection need --at, and go without --serve.");
            }
            else if (result.GetValue(s_tenant) is not null && result.GetValue(s_collection) is not null)
            {
                result.AddError("--tenant and --collection go one at a time.");
            }
            else if (result.GetValue(s_apply) is not null && !IsInPlace(result))
            {
                result.AddError("--apply needs --tenant or --collection.");
            }
        });
        command.SetAction((parsed, cancellationToken) =>
        {
            var json = parsed.GetValue(JobCommandLine.Json);
            var target = new RestoreTarget(parsed.GetValue(s_backup), parsed.GetValue(s_at) is { } text ? Moment(text) : null);
            return BackupJob.RunAsync(
                json,
                async (services, token) =>
                {
                    var restore = services.GetService<PlatformDatabase>() is { } database
                        ? ActivatorUtilities.CreateInstance<RestoreCommand>(services, database)
                        : ActivatorUtilities.CreateInstance<RestoreCommand>(services);
                    return IsInPlace(parsed)
                        ? JobReport.Print(
                            await restore.InPlaceAsync(
                                target, parsed.GetValue(s_tenant), parsed.GetValue(s_collection), parsed.GetValue(s_apply), token),
                            json,
                            BackupText.Print,
                            isGood: true)
                        : await restore.CopyAsync(
                            target,
                            parsed.GetValue(s_from) is not null ? services : null,
                            parsed.GetValue(s_serve),
                            report => JobReport.Print(report, json, BackupText.Print, isGood: true),
                            token);
                },
                cancellationToken);
        });
        return command.Audited("backupRestore");
    }

    /// <summary>Opens a copy, says what it has, and removes it, or serves it until it is cancelled.</summary>
    private async Task<int> CopyAsync(
        RestoreTarget target, IServiceProvider? remote, bool serve, Func<RestoreReport, int> print, CancellationToken cancellationToken)
    {
        CopyCommands.NeedCopy(remote);
        var (copy, took) = remote is null ? await work.OpenAsync(target, cancellationToken)
            : await remote.GetRequiredService<RemoteRestore>().OpenAsync(target, cancellationToken);
        await using (copy)
        {
            using var client = new MongoClient(copy.ConnectionString);
            var name = live?.Database.DatabaseNamespace.DatabaseName ?? ResourceNames.Database;
            var counts = await RestoreWork.CountAsync(client.GetDatabase(name), cancellationToken);
            var now = live is null ? [] : await RestoreWork.CountAsync(live.Database, cancellationToken);
            var names = counts.Keys.Union(now.Keys).Order(StringComparer.Ordinal);
            var exitCode = print(new RestoreReport(
                Text(target),
                copy.LastCommit,
                Math.Round(took.TotalSeconds, 1),
                [.. names.Select(collection => new RestoredCollection(
                    collection, counts.GetValueOrDefault(collection), live is null ? null : now.GetValueOrDefault(collection)))],
                serve ? copy.ConnectionString : null));
            if (serve)
            {
                var stopped = new TaskCompletionSource();
                await using var registration = cancellationToken.Register(stopped.SetResult);
                await stopped.Task;
            }

            return exitCode;
        }
    }

    private async Task<InPlaceReport> InPlaceAsync(
        RestoreTarget target, string? tenant, string? collection, string? apply, CancellationToken cancellationToken)
    {
        if (live is null)
        {
            throw new BackupException(
                $"There is no running database to bring anything back in: ConnectionStrings__{ResourceNames.Database} is not set.", ExitCodes.Unavailable);
        }

        var known = collection is null ? null : RestoreScope.OfCollection(collection);
        var (copy, _) = await work.OpenAsync(target, cancellationToken);
        await using (copy)
        {
            using var client = new MongoClient(copy.ConnectionString);
            var then = client.GetDatabase(live.Database.DatabaseNamespace.DatabaseName);
            var scope = known ?? RestoreScope.OfTenant(ObjectId.TryParse(tenant, out var key) ? key
                : await InPlaceRestore.FindTenantAsync(then, tenant!, cancellationToken)
                    ?? throw new BackupException($"There was no tenant {tenant} at {Text(target)}.", ExitCodes.Refused));
            var restore = new InPlaceRestore(live.Database, then, scope);
            using var plan = await restore.PlanAsync(copy.Data, cancellationToken);
            if (apply is null || plan.IsEmpty)
            {
                return Report(applied: false, left: 0, before: null);
            }

            if (apply != plan.Name)
            {
                throw new BackupException(
                    $"The report {apply} does not hold any more: what would change now is {plan.Name}. Something was written since; make a new report.",
                    ExitCodes.Refused);
            }

            // What is about to be changed can be brought back by the same command.
            var before = time.GetUtcNow();
            if (!await engine.FlushAsync(cancellationToken))
            {
                throw new BackupException(
                    "The log of the running database is not archived by this repository, so what is about to be changed could not be brought back; nothing was "
                    + "changed.",
                    ExitCodes.Refused);
            }

            return Report(applied: true, await restore.ApplyAsync(plan, cancellationToken), Text(new RestoreTarget(null, before)));

            InPlaceReport Report(bool applied, long left, string? before) => new(
                scope.Tenant?.ToString(), collection, Text(target), plan.Changes, [.. plan.Structures.SelectMany(change => change.Sentences())],
                scope.Tenant is null ? [] : RestoreScope.NotRestored, plan.IsEmpty ? null : plan.Name, applied, left, before);
        }
    }

    private static bool IsInPlace(CommandResult result) => result.GetValue(s_tenant) is not null || result.GetValue(s_collection) is not null;

    private static bool IsInPlace(ParseResult result) => IsInPlace(result.CommandResult);

    private static DateTimeOffset? Moment(string text) => DateTimeOffset.TryParse(
        text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var moment)
        ? moment
        : null;

    private static string Text(RestoreTarget target) => target.Label
        ?? target.Moment?.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.ffffffZ", CultureInfo.InvariantCulture)
        ?? "the latest moment in the repository";
}
