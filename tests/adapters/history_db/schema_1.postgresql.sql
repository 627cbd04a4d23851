CREATE TABLE public.covls_path (
    id integer NOT NULL,
    path text NOT NULL
);
CREATE TABLE public.covls_record (
    id bigint NOT NULL,
    path_id integer NOT NULL,
    digest bytea NOT NULL,
    n_files integer NOT NULL,
    n_statements integer NOT NULL,
    n_excluded integer NOT NULL,
    n_missing integer NOT NULL,
    n_branches integer NOT NULL,
    n_partial_branches integer NOT NULL,
    n_missing_branches integer NOT NULL,
    content bytea NOT NULL
);
ALTER TABLE ONLY public.covls_record ALTER COLUMN content SET STORAGE EXTERNAL;
CREATE TABLE public.covls_run (
    id integer NOT NULL,
    commit_id text NOT NULL,
    flags text NOT NULL,
    parents text NOT NULL,
    branch text,
    authored bigint NOT NULL,
    subject text NOT NULL,
    recorded bigint NOT NULL,
    clean boolean NOT NULL,
    versions text NOT NULL,
    has_branches boolean NOT NULL,
    n_files integer NOT NULL,
    n_statements integer NOT NULL,
    n_excluded integer NOT NULL,
    n_missing integer NOT NULL,
    n_branches integer NOT NULL,
    n_partial_branches integer NOT NULL,
    n_missing_branches integer NOT NULL,
    records bytea NOT NULL
);
ALTER TABLE ONLY public.covls_run ALTER COLUMN records SET STORAGE EXTERNAL;
CREATE TABLE public.covls_schema (
    version_num character varying(32) NOT NULL
);
INSERT INTO public.covls_path VALUES (1, 'a.py');
INSERT INTO public.covls_path VALUES (2, 'b/ü.py');
INSERT INTO public.covls_path VALUES (3, 'c.py');
INSERT INTO public.covls_record VALUES (1, 1, '\xb37d1783f7aaa4cc08a3fe2925a0628972b7f08be45c6af2a3afc15aa39dc592', 1, 6, 1, 3, 5, 2, 2, '\x789c258b310e02310c04ffe2da20c74e9cf82d478a9ccf051d4242e2f9f8b862778a9ddd6034f3bd870e575aa126a4b6a293bb868c212ea675155a5ead0d3bf46065f1bd4569350b10e8dbe38fa2170870136424ac78b2e18d276ef0f81045bdbfde4fcf03e77ada0e294aa6a4c8c873fe0035c224bb');
INSERT INTO public.covls_record VALUES (2, 2, '\x9cba48d6c008d1951c5477f97d3a44eb0dcd2d5a828e1c6c0d76b5947f2f524e', 1, 6, 1, 5, 5, 0, 2, '\x789c1d8a410ac3300c04ffe2b35a14498e9cb7383ec88a0dbd9542a1cfafe2c3eec2ecd424d3339bd265ce9be19cd6bb1e07990baba014f13279ea1c7d1f65cf825dd4fc1a3745c704097f3ad6d0ea4095810041e0de0c0f6a50d3f9451cf27c7f5e1e3ac51bf2e629445ec9d1d4da1f8bc425bd');
INSERT INTO public.covls_record VALUES (3, 3, '\x5102b68049a898268960fefe6c64a958ceee1b1fa8f3dba2868e708c8a739eec', 1, 6, 1, 3, 5, 2, 2, '\x789c25cb410e42310845d1bd30464329a5762ddf0e68691367c6c4c4e5cbd701b903ce3b808a922b8b16cbcb13a9dcbc96b6c5bd398ded36abb791cc68e4e2c432c6ae219a54533540a04f5dbf24fd87008f8c8c8482670b5eb8e301f737d192ebf3f59831e0f89e7a42c01c97023272ef5f71882564');
INSERT INTO public.covls_run VALUES (1, '0000000000000000000000000000000000000001', 'linux,py312', '0000000000000000000000000000000000000000', 'main', 1767312000000000, 'Do 1', 1767225600000000, true, '{"python": "3.12"}', true, 2, 12, 2, 8, 10, 2, 4, '\x0100000002000000');
INSERT INTO public.covls_run VALUES (2, '0000000000000000000000000000000000000002', '', '0000000000000000000000000000000000000001', 'main', 1767398400000000, 'Do 2', 1767225600000000, true, '{"python": "3.12"}', true, 2, 12, 2, 6, 10, 4, 4, '\x010000000000000003000000');
INSERT INTO public.covls_schema VALUES ('1');
ALTER TABLE ONLY public.covls_path
    ADD CONSTRAINT covls_path_path_key UNIQUE (path);
ALTER TABLE ONLY public.covls_path
    ADD CONSTRAINT covls_path_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.covls_record
    ADD CONSTRAINT covls_record_digest_key UNIQUE (digest);
ALTER TABLE ONLY public.covls_record
    ADD CONSTRAINT covls_record_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.covls_run
    ADD CONSTRAINT covls_run_commit_id_flags_key UNIQUE (commit_id, flags);
ALTER TABLE ONLY public.covls_run
    ADD CONSTRAINT covls_run_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.covls_schema
    ADD CONSTRAINT covls_schema_pkc PRIMARY KEY (version_num);
CREATE INDEX ix_covls_record_path_id ON public.covls_record USING btree (path_id);
CREATE INDEX ix_covls_run_authored ON public.covls_run USING btree (authored);
