namespace Platform.Hosting.Security;

/// <summary>What a server in a container is given of its certificate: it is written into the container, and nothing of the host is mounted.</summary>
public static class ContainerCertificates
{
    /// <summary>The certificate of the authority, which comes first, and that of the server with its key; none without TLS.</summary>
    /// <param name="certificate">The certificate; null: there is no TLS.</param>
    /// <param name="owner">The id of the user, and of the group, in the container as whom the server runs. Default: root.</param>
    public static IEnumerable<ContainerFile> Of(ServerCertificate? certificate, int? owner = null) => certificate is null ? [] :
    [
        new ContainerFile
        {
            Name = StackCertificates.AuthorityFile,
            Contents = File.ReadAllText(certificate.CaFile),
            Mode = UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead,
        },
        new ContainerFile
        {
            Name = StackCertificates.ServerFile,
            Contents = File.ReadAllText(certificate.File),
            Mode = UnixFileMode.UserRead,
            Owner = owner,
            Group = owner,
        },
    ];
}
