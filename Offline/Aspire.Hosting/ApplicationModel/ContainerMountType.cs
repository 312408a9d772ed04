namespace Aspire.Hosting.ApplicationModel;

/// <summary>What is mounted.</summary>
public enum ContainerMountType
{
    /// <summary>A directory or file of the host.</summary>
    BindMount = 0,

    /// <summary>A volume of the container runtime.</summary>
    Volume = 1,
}
