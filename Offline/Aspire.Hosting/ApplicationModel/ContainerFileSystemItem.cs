namespace Aspire.Hosting.ApplicationModel;

/// <summary>A file or directory put into a container before it starts.</summary>
public abstract class ContainerFileSystemItem
{
    private string _name = "";

    /// <summary>The name, without a path.</summary>
    public string Name
    {
        get => _name;
        set => _name = Path.GetFileName(value) == value
            ? value
            : throw new ArgumentException($"'{value}' must be a name without a path.", nameof(value));
    }

    /// <summary>The user id that owns it; null: the default of the call.</summary>
    public int? Owner { get; set; }

    /// <summary>The group id; null: the default of the call.</summary>
    public int? Group { get; set; }

    /// <summary>The permissions; 0: by the umask.</summary>
    public UnixFileMode Mode { get; set; }
}
