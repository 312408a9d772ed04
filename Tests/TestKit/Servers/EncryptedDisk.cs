using Xunit;

namespace Platform.Tests.TestKit.Servers;

/// <summary>What tests of data that is encrypted on the disk need of this machine.</summary>
internal static class EncryptedDisk
{
    /// <summary>Skips the test where the machine cannot mount what is encrypted, and says why.</summary>
    public static async Task RequireAsync(CancellationToken cancellationToken)
    {
        var why = ServerImage.WhyUnavailable();
        if (why is null)
        {
            var tried = await ProgramResult.OfAsync(new(ServerImage.Script("can-encrypt"), [ServerImage.Directory]), cancellationToken);
            why = tried.ExitCode == 0 ? null : $"This machine cannot encrypt data at rest: {tried.Output.Trim()}";
        }

        Assert.SkipWhen(why is not null, why ?? "");
    }

    /// <summary>The files of a directory, and of those below it, that have these bytes.</summary>
    public static IReadOnlyList<string> FilesWith(string directory, ReadOnlySpan<byte> bytes)
    {
        List<string> found = [];
        foreach (var file in Directory.EnumerateFiles(directory, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 }))
        {
            // The empty ones are locks, which somebody holds.
            if (new FileInfo(file).Length > 0 && File.ReadAllBytes(file).AsSpan().IndexOf(bytes) >= 0)
            {
                found.Add(file);
            }
        }

        return found;
    }
}
