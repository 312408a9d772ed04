using System.Text;

namespace Platform;

/// <summary>Files (mode 600) and directories (mode 700) that nobody but their owner may use.</summary>
public static class OwnerOnly
{
    private const UnixFileMode ReadAndWrite = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Makes a directory, or closes one that is there to everybody else.</summary>
    /// <param name="path">Its path.</param>
    public static void MakeDirectory(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path);
            return;
        }

        Directory.CreateDirectory(path, ReadAndWrite | UnixFileMode.UserExecute);
        File.SetUnixFileMode(path, ReadAndWrite | UnixFileMode.UserExecute);
    }

    /// <summary>How to open a file to write it. The mode is that of one that is made by this; one that is there keeps its own.</summary>
    /// <param name="mode">How.</param>
    /// <param name="share">What others may do meanwhile.</param>
    public static FileStreamOptions Options(FileMode mode, FileShare share = FileShare.None)
    {
        var options = new FileStreamOptions { Mode = mode, Access = FileAccess.ReadWrite, Share = share };
        if (!OperatingSystem.IsWindows() && mode != FileMode.Open)
        {
            options.UnixCreateMode = ReadAndWrite;
        }

        return options;
    }

    /// <summary>Opens a file to write it, as <see cref="Options"/> says.</summary>
    /// <param name="path">Its path.</param>
    /// <param name="mode">How.</param>
    /// <param name="share">What others may do meanwhile.</param>
    /// <param name="bufferSize">The stream's buffer in bytes; 0 for none.</param>
    /// <param name="how">What else is asked of it.</param>
    public static FileStream Open(
        string path, FileMode mode, FileShare share = FileShare.None, int bufferSize = 4096, FileOptions how = FileOptions.None)
    {
        var options = Options(mode, share);
        (options.BufferSize, options.Options) = (bufferSize, how);
        return new FileStream(path, options);
    }

    /// <summary>
    /// Writes a file beside its place, to the disk, and renames it: what is there is the old text or the new one, whatever happens meanwhile.
    /// </summary>
    /// <param name="path">Its path.</param>
    /// <param name="text">The text.</param>
    /// <param name="draft">What the path of the draft ends with: another one for each that may write at the same time.</param>
    public static void Write(string path, string text, string draft = "new")
    {
        var beside = $"{path}.{draft}";
        // One that was left would keep its mode.
        File.Delete(beside);
        using (var stream = Open(beside, FileMode.Create))
        {
            stream.Write(Encoding.UTF8.GetBytes(text));
            stream.Flush(flushToDisk: true);
        }

        File.Move(beside, path, overwrite: true);
    }
}
