using Platform.Migrator.Authoring;

namespace Platform.Migrator.Commands;

/// <summary>What the commands have in common that write files of the repository: no server, and an end of their own when a file cannot be written.</summary>
internal static class RepositoryFiles
{
    /// <summary>Does something in the repository that this program is run in.</summary>
    /// <param name="work">Gets the repository's root. Returns the exit code.</param>
    public static async Task<int> RunAsync(Func<string, Task<int>> work)
    {
        if (MigrationScaffold.FindRoot(Environment.CurrentDirectory) is not { } root)
        {
            return await FailAsync(
                ExitCodes.Usage,
                $"There is no repository with {MigrationScaffold.Migrations} at or above {Environment.CurrentDirectory}; run this inside it.");
        }

        try
        {
            return await work(root);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return await FailAsync(ExitCodes.CannotCreate, exception.Message);
        }
    }

    /// <summary>Tells why it is not done.</summary>
    public static async Task<int> FailAsync(int exitCode, params IEnumerable<string> sentences)
    {
        foreach (var sentence in sentences)
        {
            await Console.Error.WriteLineAsync($"{MigratorJob.Name}: {sentence}");
        }

        return exitCode;
    }
}
