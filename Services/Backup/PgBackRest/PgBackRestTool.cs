using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Extensions.Options;
using Platform.Backup.Engines;
using Platform.Backup.Policy;

namespace Platform.Backup.PgBackRest;

/// <summary>Runs pgBackRest, by the script that has it from the server image.</summary>
internal sealed partial class PgBackRestTool(IOptions<BackupOptions> options)
{
    private const int Terminate = 15;

    // More than any list of backups; what is beyond it is not kept.
    private const int LongestOutput = 64 * 1024 * 1024;
    private static readonly TimeSpan s_grace = TimeSpan.FromSeconds(20);

    /// <summary>pgBackRest's own: another process has the lock.</summary>
    /// <remarks><see href="https://github.com/pgbackrest/pgbackrest/blob/main/src/build/error/error.yaml"/></remarks>
    public const int LockError = 50;

    /// <summary>Runs it to its end and returns how it ended; a failure is for the caller to judge.</summary>
    /// <param name="data">The data directory of the server that it works beside; null for none.</param>
    /// <param name="sockets">Where the server's socket is; null for none.</param>
    /// <param name="cancellationToken">Ends it by SIGTERM, at which it cleans up; what still runs after a while is killed.</param>
    /// <param name="arguments">Its options, and last the command.</param>
    public async Task<ToolResult> TryAsync(string? data, string? sockets, CancellationToken cancellationToken, params string[] arguments)
    {
        var settings = options.Value;
        var start = new ProcessStartInfo(
            Path.Combine(settings.NativeScripts, "pgbackrest"),
            [settings.ServerImage, settings.Directory, data ?? "-", sockets ?? "-", .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        start.Environment[SettingNames.ArchivePassPhrase] = settings.PassPhrase;
        using var process = Process.Start(start) ?? throw new BackupException($"{start.FileName} did not start.");
        process.StandardInput.Close();
        var output = ReadAsync(process.StandardOutput);
        var errors = ReadAsync(process.StandardError);
        try
        {
            await process.WaitForExitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // Until it has ended, it works on the repository.
            _ = Kill(process.Id, Terminate);
            try
            {
                await process.WaitForExitAsync(CancellationToken.None).WaitAsync(s_grace, CancellationToken.None);
            }
            catch (TimeoutException)
            {
                process.Kill(entireProcessTree: true);
            }

            throw;
        }

        return new ToolResult(arguments[^1], process.ExitCode, await output, await errors);
    }

    /// <summary>Runs it to its end and returns its output.</summary>
    /// <inheritdoc cref="TryAsync"/>
    /// <exception cref="BackupException">It failed.</exception>
    public async Task<string> RunAsync(string? data, string? sockets, CancellationToken cancellationToken, params string[] arguments)
    {
        var result = await TryAsync(data, sockets, cancellationToken, arguments);
        return result.ExitCode == 0 ? result.Output : throw result.Failure();
    }

    private static async Task<string> ReadAsync(StreamReader reader)
    {
        var text = new StringBuilder();
        var buffer = new char[8192];
        int read;
        while ((read = await reader.ReadAsync(buffer)) > 0)
        {
            text.Append(buffer, 0, Math.Min(read, Math.Max(0, LongestOutput - text.Length)));
        }

        return text.ToString();
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}

/// <summary>How pgBackRest ended.</summary>
/// <param name="Command">What it was asked to do.</param>
/// <param name="ExitCode">Its exit code.</param>
/// <param name="Output">Its standard output, which has its log as well.</param>
/// <param name="Errors">Its standard error.</param>
internal sealed record ToolResult(string Command, int ExitCode, string Output, string Errors)
{
    /// <summary>Whether another process works on the repository.</summary>
    public bool IsBusy => ExitCode is ExitCodes.Busy or PgBackRestTool.LockError;

    /// <summary>What it says went wrong.</summary>
    public string Reason => string.Join(
        ' ',
        Output.Split('\n').Concat(Errors.Split('\n'))
            .SkipWhile(line => !line.Contains("ERROR:", StringComparison.Ordinal))
            .Select(line => line.Contains("ERROR:", StringComparison.Ordinal) ? line[(line.IndexOf("ERROR:", StringComparison.Ordinal) + 6)..] : line)
            .Select(line => line.Trim())
            .Where(line => line.Length > 0)
            .Take(8)) is { Length: > 0 } reason
        ? reason
        : Errors.Trim().ReplaceLineEndings(" ");

    /// <summary>The failure, for a person.</summary>
    public BackupException Failure() => IsBusy
        ? new BackupException("Another process works on the repository; try again when it has ended.", ExitCodes.Busy)
        : IsUnreadable(Reason) ? Unreadable()
        : new BackupException($"pgBackRest's {Command} ended with exit code {ExitCode}: {Reason}");

    /// <summary>Whether a reason is that what was decrypted makes no sense. (It is shown in the reason, too, byte by byte.)</summary>
    public static bool IsUnreadable(string reason) =>
        ((string[])["CryptoError", "FormatError", "[029]", "[095]"]).Any(word => reason.Contains(word, StringComparison.Ordinal));

    /// <summary>What a person is told then.</summary>
    public static BackupException Unreadable() => new(
        "The repository cannot be decrypted: Backup:PassPhrase is not the one that it was made with, or both copies of its list of backups are damaged.",
        ExitCodes.Refused);
}
