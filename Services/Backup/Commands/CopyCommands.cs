using System.CommandLine;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Platform.Backup.Copies;
using Platform.Backup.Engines;
using Platform.Backup.Policy;
using Platform.Backup.Restoring;
using Platform.Backup.Work;
using Platform.Jobs;

namespace Platform.Backup.Commands;

/// <summary>The commands about the copy of the repository.</summary>
internal static class CopyCommands
{
    /// <summary><c>backup copy</c>.</summary>
    public static Command Copy() => BackupJob.Report(
        new Command("copy", "Copy to the bucket now what it lacks, until nothing waits; the agent does so all the time."),
        async (services, _, token) =>
        {
            NeedCopy(services);
            var (work, directory) = (services.GetRequiredService<CopyWork>(), services.GetRequiredService<IOptions<BackupOptions>>().Value.Directory);
            CopyRound round;
            do
            {
                round = await work.RunAsync(token);
            }
            while (round.IsCut);
            if (round.IsWhole && Directory.Exists(directory))
            {
                new CopyRecord(services.GetRequiredService<TimeProvider>().GetUtcNow(), null, null).Write(directory);
            }

            return (await services.GetRequiredService<CopyLook>().LookAsync(token))!;
        },
        BackupText.Print).Audited("backupCopy");

    /// <summary><c>backup fetch</c>.</summary>
    public static Command Fetch() => BackupJob.Report(
        new Command("fetch", "Bring the whole repository back from the bucket, where there is none any more."),
        async (services, _, token) =>
        {
            NeedCopy(services);
            var options = services.GetRequiredService<IOptions<BackupOptions>>().Value;
            var (objects, bytes) = await services.GetRequiredService<RemoteRestore>().ReturnAsync(token);
            return new FetchReport(options.S3.Place, options.Directory, objects, bytes);
        },
        BackupText.Print).Audited("backupFetch");

    /// <summary><c>backup verify --s3</c>.</summary>
    public static async Task<LastVerification> VerifyAsync(IServiceProvider services, string? label, CancellationToken cancellationToken)
    {
        NeedCopy(services);
        var verification = await services.GetRequiredService<CopyVerifier>().VerifyAsync(label, cancellationToken);
        return new LastVerification(verification.At, verification.Objects, verification.Findings);
    }

    /// <summary>Refuses what is about a copy when there is to be none.</summary>
    /// <param name="services">The services; null when the copy is not asked for.</param>
    public static void NeedCopy(IServiceProvider? services)
    {
        if (services is not null && !services.GetRequiredService<IOptions<BackupOptions>>().Value.S3.IsOn)
        {
            throw new BackupException($"There is no copy: {S3Options.Section}:{nameof(S3Options.Bucket)} is not set.", ExitCodes.Usage);
        }
    }
}
