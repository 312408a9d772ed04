namespace Aspire.Hosting;

/// <summary>Files that only their owner can read.</summary>
internal static class OwnerOnlyFile
{
    /// <summary>Options for writing a file; mode 600 if it is created.</summary>
    public static FileStreamOptions Options(FileMode mode, FileShare share)
    {
        var options = new FileStreamOptions { Mode = mode, Access = FileAccess.Write, Share = share };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        return options;
    }
}
